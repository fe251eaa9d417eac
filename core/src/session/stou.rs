//! STOU: an upload whose name the server finds (RFC 959 4.1.3, RFC 1123 4.1.2.9).

use super::Session;
use super::state::{Awaited, Drawing, Flow, Purpose};
use super::transfer::{Kind, Transfer};
use super::upload::Upload;
use crate::action::Action;
use crate::expiry::Judgement;
use crate::limits;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::Write;

/// STOU: a name is being drawn.
#[derive(Debug)]
pub(super) struct Naming {
    /// What stands before it.
    prefix: String,
    /// ALLO.
    announced_bytes: Option<u64>,
    /// How many were drawn before.
    draws: u32,
}

impl Session {
    /// STOU: a name that nobody has is drawn. REST is passed over, for there is nothing yet that could go on.
    pub(super) fn stou(&mut self, argument: Option<String>) -> Flow {
        let (_, announced_bytes) = self.said_of_upload()?;
        let prefix = argument.unwrap_or_else(|| UNIQUE_PREFIX.into());
        // What is wrong with the name is said before a suffix hides it.
        self.to_be_made(&prefix, text::STOR_FAILED)?;
        self.draw_name(Naming { prefix, announced_bytes, draws: 0 })
    }

    pub(super) fn draw_name(&mut self, naming: Naming) -> Flow {
        let id = self.fresh_id();
        self.push(Action::DrawRandom { id });
        Session::wait_for(id, Awaited::Drawn(Box::new(Drawing::Naming(naming))))
    }

    /// The suffix of a STOU is drawn.
    pub(super) fn name_drawn(&mut self, naming: Naming, bytes: [u8; 16]) -> Flow {
        let Naming { prefix: mut name, announced_bytes, draws } = naming;
        name.push('.');
        // Writing to a text does not fail.
        let _ = bytes.iter().take(UNIQUE_BYTES).try_for_each(|byte| write!(name, "{byte:02x}"));
        let path = self.to_be_made(&name, text::STOR_FAILED)?;
        let mut upload = Upload::new(announced_bytes);
        upload.draws = Some(draws + 1);
        let transfer = Transfer::new(Kind::Upload(upload), path.clone(), name);
        self.check(path, Purpose::Transfer(transfer))
    }
}

impl Upload {
    /// What to draw instead where the name that was drawn, as it is `shown`, turns out to be somebody's.
    pub(super) fn another_name(&self, shown: &str, judged: Judgement<'_>) -> Option<Naming> {
        let draws = self.draws.filter(|draws| *draws <= limits::RETRIES_MAX)?;
        let is_taken = matches!(judged, Judgement::Live(_));
        let prefix = shown.get(..shown.len().checked_sub(1 + 2 * UNIQUE_BYTES)?).filter(|_| is_taken)?;
        Some(Naming { prefix: prefix.into(), announced_bytes: self.announced_bytes, draws })
    }
}

/// What stands before the suffix where STOU names nothing.
const UNIQUE_PREFIX: &str = "stou";
/// Random bytes of a STOU's suffix: that two are the same is as good as impossible, and is looked at all the same.
const UNIQUE_BYTES: usize = 6;
