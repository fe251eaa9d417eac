//! Whose turn it is, where sessions have more to do than the host can. A session that is always ahead of its peer goes on
//! at once. One whose peer has sent more than was carried out for long, as a peer does that sends commands without end,
//! lets everybody else go first many times before it goes on. So whoever asks for little waits for a few of the busy, not
//! for all of them; and a session that is busy alone loses microseconds.

use std::task::{Context, Poll};

/// A session's turn.
pub(crate) struct Turn {
    /// Since it last had nothing more to carry out.
    events: u8,
    events_in_row: u8,
    /// How often the others go first still.
    passes_left: u8,
    /// How often they do each time: not as often for each session, or a crowd that began together would stay together.
    passes: u8,
}

impl Turn {
    /// That of the session of this number.
    pub(crate) fn new(session: u64) -> Self {
        let more = u8::try_from(session % u64::from(PASSES_MORE)).unwrap_or_default();
        let passes = PASSES_MIN + more;
        Self { events: 0, events_in_row: 0, passes_left: 0, passes }
    }

    /// Ready when the session may look for its next event.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.events_in_row == EVENTS_IN_ROW_MAX {
            self.end_row();
            self.passes_left = self.passes_left.max(1);
        }
        if self.passes_left == 0 {
            return Poll::Ready(());
        }
        self.passes_left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// It has had an event, or there was none for it.
    pub(crate) fn took(&mut self, event: bool) {
        if !event {
            return self.end_row();
        }
        self.events_in_row += 1;
        self.events = self.events.saturating_add(1);
    }

    /// All that the peer has sent is carried out.
    pub(crate) fn rest(&mut self) {
        self.events = 0;
    }

    fn end_row(&mut self) {
        self.events_in_row = 0;
        self.passes_left = if self.events > SHARE { self.passes } else { 0 };
    }
}

/// Events that one session may take while others wait.
const EVENTS_IN_ROW_MAX: u8 = 2;
/// Events until all is carried out that a peer which asks for little does not come to.
const SHARE: u8 = 8;
/// How often others go before one that is busy.
const PASSES_MIN: u8 = 32;
/// By how many times more sessions differ.
const PASSES_MORE: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_fn, yield_now};
    use std::cell::Cell;
    use std::rc::Rc;

    /// How often others go before it is its turn.
    fn passes(turn: &mut Turn) -> u8 {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        (0..u8::MAX).find(|_| turn.poll(&mut cx).is_ready()).unwrap()
    }

    #[test]
    fn more_than_a_share_lets_others_go_first_and_a_rest_ends_that() {
        let mut turn = Turn::new(7);
        for event in 1..=SHARE {
            turn.took(true);
            turn.took(false);
            assert_eq!(passes(&mut turn), 0, "{event}");
        }
        turn.took(true);
        turn.took(false);
        assert_eq!(passes(&mut turn), PASSES_MIN + 7);
        turn.rest();
        turn.took(true);
        turn.took(false);
        assert_eq!(passes(&mut turn), 0);
        for _ in 0..EVENTS_IN_ROW_MAX {
            turn.took(true);
        }
        assert_eq!(passes(&mut turn), 1, "after a row the others have one look, busy or not");
    }

    #[test]
    fn a_quiet_session_goes_before_most_of_a_crowd_that_is_busy_for_ever() {
        // Goal: with a hundred busy sessions on one thread, another's event waits for few of theirs.
        let executor = smol::LocalExecutor::new();
        let events = Rc::new(Cell::new(0_u32));
        for session in 0..100 {
            let events = Rc::clone(&events);
            let crowd = async move {
                let mut turn = Turn::new(session);
                loop {
                    poll_fn(|cx| turn.poll(cx)).await;
                    turn.took(true);
                    events.set(events.get() + 1);
                }
            };
            executor.spawn(crowd).detach();
        }
        let quiet = executor.spawn(async move {
            let mut waits = Vec::new();
            for _ in 0..2000 {
                let before = events.get();
                yield_now().await;
                waits.push(events.get() - before);
            }
            waits
        });
        let waits = block_on(executor.run(quiet));
        let late: u32 = waits.iter().skip(1000).sum();
        // Were all to go first each time, it would be 200 each.
        assert!(late / 1000 <= 12, "{} events of others before each of ours", late / 1000);
    }
}
