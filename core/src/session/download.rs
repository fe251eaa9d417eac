//! RETR.

use super::state::{Flow, Purpose};
use super::transfer::{Kind, Transfer};
use super::{Session, access, refuse};
use crate::action::{Action, Translation};
use crate::error::{StorageError, TransferError};
use crate::record::{FileInfo, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::ops::ControlFlow::Break;

impl Session {
    pub(super) fn retr(&mut self, argument: String) -> Flow {
        let range = self.data.take_range();
        let restart_bytes = self.data.take_next().restart_bytes;
        let (offset_bytes, end_bytes) = range.map_or((restart_bytes, None), |range| (range.first, Some(range.end())));
        self.need_setup()?;
        self.need_whole_in_ascii(offset_bytes, end_bytes)?;
        let path = self.looked_up(&argument, text::RETR_FAILED)?;
        let transfer = Transfer::new(Kind::Download { offset_bytes, end_bytes }, path.clone(), argument);
        self.check(path, Purpose::Transfer(transfer))
    }

    /// An offset in a translated stream means nothing that both sides agree on (RFC 3659 5.3 leaves it open).
    pub(super) fn need_whole_in_ascii(&self, offset_bytes: u64, end_bytes: Option<u64>) -> Flow<()> {
        if (offset_bytes > 0 || end_bytes.is_some()) && self.data.translation == Translation::Ascii {
            return Break(Reply::new(550, text::NO_ASCII_RESUME));
        }
        Flow::Continue(())
    }

    pub(super) fn download_checked(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        state: PathState,
        (offset_bytes, end_bytes): (u64, Option<u64>),
    ) -> Flow {
        let info = access::living_file(now, &state, text::RETR_FAILED)?;
        let size_bytes = info.size_bytes;
        transfer.own_s = info.expiry_s;
        self.permit(Right::Read, &state.records)?;
        // draft-bryan-ftp-range-08 4.3: of a range beyond the end nothing is sent. RFC 3659 5.4: REST beyond it is a 554.
        let offset_bytes = if end_bytes.is_some() { offset_bytes.min(size_bytes) } else { offset_bytes };
        if offset_bytes > size_bytes {
            return Break(Reply::new(554, text::RESTART_BEYOND));
        }
        transfer.kind = Kind::Download { offset_bytes, end_bytes };
        transfer.way = state.records;
        self.connect(now, transfer)
    }

    pub(super) fn download_opened(
        &mut self,
        now: Now,
        mut transfer: Box<Transfer>,
        outcome: Result<FileInfo, StorageError>,
    ) -> Flow {
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        if let Ok(info) = &outcome {
            // Another file may have taken the name since the check.
            transfer.own_s = info.expiry_s;
        }
        let reply = match outcome {
            Ok(_) if transfer.is_expired(now) => transfer.expired(),
            Ok(info) => {
                let preliminary = self.opening(&transfer.shown, info.size_bytes);
                self.begin(now, &mut transfer, &preliminary);
                return self.proceed(now, transfer);
            }
            Err(error) => refuse::storage(error, text::RETR_FAILED),
        };
        self.abandon(now, transfer, Some(reply))
    }

    fn opening(&self, shown: &str, size_bytes: u64) -> Reply {
        let mode = match self.data.translation {
            Translation::Image => "BINARY",
            Translation::Ascii => "ASCII",
        };
        Reply::new(150, format!("Opening {mode} mode data connection for {shown} ({size_bytes} bytes)."))
    }

    pub(super) fn download_ended(&mut self, now: Now, transfer: &Transfer, outcome: Result<(), TransferError>) -> Flow {
        let reply = match outcome {
            // Whatever came to interrupt it came too late.
            Ok(()) => Reply::new(226, text::TRANSFER_COMPLETE),
            Err(TransferError::Storage(_)) => Reply::new(451, text::FILE_READ_FAILED),
            Err(TransferError::ConnectionLost | TransferError::Cancelled | TransferError::Corrupt) => transfer.broken(),
        };
        self.push(Action::CloseData);
        self.note_end(now, transfer, reply.code);
        Break(reply)
    }
}
