//! A login that is being checked while the session's thread waits for its sockets: a descriptor tells when it is done.

use crate::users::Pending;
use mayfly_core::action::ActionId;
use mayfly_core::event::Event;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

/// See the module.
pub(crate) struct Verification {
    id: ActionId,
    pending: Pending,
    bell: Arc<Bell>,
}

/// Readable once it has rung.
struct Bell(OwnedFd);

impl Verification {
    /// None: the host has no descriptor left.
    pub(crate) fn begin(id: ActionId, pending: Pending) -> Option<Self> {
        let bell = Arc::new(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?));
        // Whoever asks first is told when it is worth asking again.
        bell.wake_by_ref();
        Some(Self { id, pending, bell })
    }

    /// What to wait for.
    pub(crate) fn interest(&self) -> PollFd<'_> {
        PollFd::new(&self.bell.0, PollFlags::IN)
    }

    /// What came of it; none: it goes on.
    pub(crate) fn outcome(&mut self) -> Option<Event> {
        // What rang before is heard with this look.
        let _ = rustix::io::read(&self.bell.0, &mut [0; 8]);
        let waker = Arc::clone(&self.bell).into();
        match Pin::new(&mut self.pending).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => Some(Event::LoginVerified { id: self.id, outcome }),
            Poll::Pending => None,
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A counter that is full is readable as well.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}
