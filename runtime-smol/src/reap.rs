//! The reaper as a task: its requests run on the blocking pool, what sessions change reaches it by a channel.

use crate::session::Shared;
use crate::timer::Alarm;
use async_io::Timer;
use futures_lite::future::{FutureExt as _, poll_fn};
use mayfly_core::action::{ActionId, PathChange};
use mayfly_core::error::Misuse;
use mayfly_core::reaper::{Reaper, ReaperAction, ReaperEvent, ReaperRequest};
use mayfly_std::log;
use mayfly_std::storage::execute::ReaperStorage;
use smol::channel::Receiver;
use smol::unblock;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::error;

/// Reaps until the server shuts down. A fault of our own ends one reaper, and the next one begins anew with a scan:
/// paths must expire.
pub(crate) async fn run(shared: Arc<Shared>, changes: Receiver<PathChange>) {
    while !shared.stop.is_closed() {
        match AssertUnwindSafe(reap(&shared, &changes)).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(misuse)) => error!(%misuse, "reaper fault; it begins anew"),
            Err(_) => error!("the reaper panicked; it begins anew"),
        }
        let stop = async {
            let _ = shared.stop.recv().await;
        };
        let pause = async {
            Timer::after(PAUSE_AFTER_FAULT).await;
        };
        pause.or(stop).await;
    }
}

async fn reap(shared: &Shared, changes: &Receiver<PathChange>) -> Result<(), Misuse> {
    let mut reaper = Reaper::default();
    let mut storage = ReaperStorage::new(Arc::clone(&shared.storage));
    let mut alarm = Alarm::new();
    let mut event = Some(ReaperEvent::Started);
    while let Some(happened) = event {
        reaper.handle(shared.clock.now(), happened)?;
        event = match drain(&mut reaper) {
            Some((id, request)) => {
                let outcome;
                (storage, outcome) = unblock(move || {
                    let outcome = storage.execute(request);
                    (storage, outcome)
                })
                .await;
                // A long row of steps must not keep it from hearing of changes, or of the end.
                hear(&mut reaper, shared, changes)?;
                (!shared.stop.is_closed()).then_some(ReaperEvent::Done { id, outcome })
            }
            None => next_event(shared, changes, &mut alarm, reaper.deadline()).await,
        };
    }
    Ok(())
}

/// Feeds it all changes that wait. Its request is still out, so it asks for nothing.
fn hear(reaper: &mut Reaper, shared: &Shared, changes: &Receiver<PathChange>) -> Result<(), Misuse> {
    for _ in 0..changes.len() {
        let Ok(change) = changes.try_recv() else { break };
        reaper.handle(shared.clock.now(), ReaperEvent::Changed { change })?;
        drain(reaper);
    }
    Ok(())
}

/// Takes all actions; at most one is a request.
fn drain(reaper: &mut Reaper) -> Option<(ActionId, ReaperRequest)> {
    let mut asked = None;
    while let Some(action) = reaper.poll_action() {
        match action {
            ReaperAction::Storage { id, request } => asked = Some((id, request)),
            ReaperAction::Note { note } => log::reaper_note(&note),
            other => error!(?other, "this driver cannot carry out an action of the reaper"),
        }
    }
    asked
}

/// What happens next; none: the server shuts down.
async fn next_event(
    shared: &Shared,
    changes: &Receiver<PathChange>,
    alarm: &mut Alarm,
    deadline_ms: Option<u64>,
) -> Option<ReaperEvent> {
    let stop = async {
        let _ = shared.stop.recv().await;
        None
    };
    let change = async { changes.recv().await.ok().map(|change| ReaperEvent::Changed { change }) };
    let due = async {
        poll_fn(|cx| alarm.poll_due(cx, shared.clock.as_ref(), deadline_ms)).await;
        Some(ReaperEvent::Timeout)
    };
    stop.or(due).or(change).await
}

/// How long a reaper that failed waits before the next one begins.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
