//! What a session hears, and in which order: what stands already, the shut down, the time, what it waits for, and both
//! connections by turns.

use super::{Driver, Stage};
use crate::control::End;
use crate::pool::OnPool;
use futures_lite::stream::Stream as _;
use mayfly_core::event::Event;
use smol::channel::Receiver;
use std::convert::Infallible;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

impl Driver {
    /// The next event. After some in a row everybody else gets a turn.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>, stop: Pin<&mut Receiver<Infallible>>) -> Poll<Event> {
        ready!(self.turn.poll(cx));
        let event = self.poll_sources(cx, stop);
        self.turn.took(event.is_ready());
        event
    }

    fn poll_sources(&mut self, cx: &mut Context<'_>, stop: Pin<&mut Receiver<Infallible>>) -> Poll<Event> {
        // What cannot be sent now is sent by a later poll: the socket wakes this task.
        let _ = self.control.poll_flush(cx);
        let room = self.control.has_room();
        if self.told_room != room {
            self.told_room = room;
            return Poll::Ready(Event::ReplyRoom { room });
        }
        if let Some(unheard) = &mut self.unheard {
            ready!(unheard.as_mut().poll(cx));
            self.unheard = None;
        }
        if let Some(event) = self.next_event() {
            return Poll::Ready(event);
        }
        if let Poll::Ready(event) = self.poll_stop(cx, stop) {
            return Poll::Ready(event);
        }
        if let Poll::Ready(event) = self.poll_time(cx) {
            return Poll::Ready(event);
        }
        if let Poll::Ready(event) = self.poll_errand(cx) {
            return Poll::Ready(event);
        }
        if let Poll::Ready(event) = self.poll_verification(cx) {
            return Poll::Ready(event);
        }
        // By turns, so that neither a flood of commands nor a fast transfer shuts the other out.
        self.data_is_next = !self.data_is_next;
        for data in [self.data_is_next, !self.data_is_next] {
            let event = if data { self.data.poll(cx) } else { self.poll_control(cx) };
            if event.is_ready() {
                return event;
            }
        }
        self.poll_control_end(cx)
    }

    /// `stop` is closed when the next stage comes.
    fn poll_stop(&mut self, cx: &mut Context<'_>, mut stop: Pin<&mut Receiver<Infallible>>) -> Poll<Event> {
        if self.stage == Stage::Cut {
            return Poll::Pending;
        }
        ready!(stop.as_mut().poll_next(cx));
        if self.stage == Stage::Serving {
            self.stage = Stage::Stopping;
            stop.set(self.shared.cut.clone());
            return Poll::Ready(Event::ShutDown);
        }
        self.stage = Stage::Cut;
        if self.control.end == End::Told {
            return Poll::Pending;
        }
        self.control.end = End::Told;
        Poll::Ready(Event::ControlClosed)
    }

    /// What stands already. Idle sessions keep no room for it.
    fn next_event(&mut self) -> Option<Event> {
        match self.events.len() {
            0 => None,
            1 => std::mem::take(&mut self.events).pop(),
            _ => Some(self.events.remove(0)),
        }
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let due_ms = [self.session.deadline(), self.data.progress_due_ms()].into_iter().flatten().min();
        ready!(self.alarm.poll_due(cx, self.shared.clock.as_ref(), due_ms));
        let now_ms = self.shared.clock.now().monotonic_ms;
        Poll::Ready(self.data.take_due_progress(now_ms).unwrap_or_else(|| {
            self.control.look();
            Event::Timeout
        }))
    }

    fn poll_errand(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let Some(errand) = &mut self.errand else { return Poll::Pending };
        let (mut storage, outcome) = ready!(Pin::new(&mut errand.task).poll(cx));
        let id = errand.id;
        self.errand = None;
        if let Some(download) = storage.take_download() {
            self.data.download = Some(OnPool::new(download));
        }
        self.data.upload = storage.take_upload();
        self.storage = Some(storage);
        Poll::Ready(Event::Stored { id, outcome })
    }

    fn poll_verification(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let Some(verification) = &mut self.verification else { return Poll::Pending };
        let outcome = ready!(Pin::new(&mut verification.1).poll(cx));
        let id = verification.0;
        self.verification = None;
        Poll::Ready(Event::LoginVerified { id, outcome })
    }

    /// While the storage is at work, commands wait in the kernel, unless the work is long: ABOR must be heard then.
    fn poll_control(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.control.is_securing() {
            return self.control.poll_secure(cx);
        }
        let waits = self.errand.as_ref().is_some_and(|errand| !errand.is_step);
        if waits || !self.session.wants_input() {
            return Poll::Pending;
        }
        let read = self.control.poll_read(cx);
        if std::mem::take(&mut self.control.ran_dry) {
            self.turn.rest();
        }
        let bytes = ready!(read);
        let received = Event::ControlReceived { bytes };
        // It may be a STAT, which tells how far a transfer is.
        Poll::Ready(match self.data.take_progress(self.shared.clock.now().monotonic_ms) {
            Some(progress) => {
                self.events.push(received);
                progress
            }
            None => received,
        })
    }

    /// An upload whose bytes have all come before the peer closed both connections is whole: the data connection is
    /// looked at once more before the session hears of the end.
    fn poll_control_end(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        match self.control.end {
            End::None | End::Told => return Poll::Pending,
            End::Seen => {
                self.data.look_anew();
                self.control.end = End::Waits;
                if self.data.may_hold_data() {
                    cx.waker().wake_by_ref();
                }
            }
            End::Waits => {}
        }
        if self.data.may_hold_data() {
            return Poll::Pending;
        }
        self.control.end = End::Told;
        Poll::Ready(Event::ControlClosed)
    }
}
