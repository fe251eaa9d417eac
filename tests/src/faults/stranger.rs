//! Somebody who tries to get at what has expired.

use super::{Dice, Shared, utc_s};
use crate::ftp::Ftp;
use std::io;
use std::net::SocketAddr;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// A path whose date is acknowledged, and never changed again.
#[derive(Clone, Debug)]
pub(super) struct Doomed {
    /// Absolute.
    pub(super) path: String,
    /// A file in it.
    pub(super) file: String,
    /// UTC seconds.
    pub(super) expiry_s: i64,
}

/// Tries until the server is gone.
pub(super) fn pry(server: SocketAddr, shared: &Shared, mut dice: Dice, context: &str) {
    // The server is killed at any moment, in this dialogue too.
    let _: io::Result<()> = (|| {
        let mut ftp = Ftp::try_log_in(server)?;
        loop {
            let doomed = {
                let all = shared.doomed.lock().unwrap_or_else(PoisonError::into_inner);
                dice.one_of(&all).cloned()
            };
            match doomed {
                Some(doomed) if utc_s() >= doomed.expiry_s => {
                    look_at(&mut ftp, &doomed, &mut dice, context)?;
                    shared.refused.fetch_add(1, Ordering::Relaxed);
                }
                _ => assert_eq!(ftp.try_ask("NOOP")?.code, 200, "{context}"),
            }
            // The processor is for those who work.
            thread::sleep(Duration::from_millis(2));
        }
    })();
}

fn look_at(ftp: &mut Ftp, doomed: &Doomed, dice: &mut Dice, context: &str) -> io::Result<()> {
    let Doomed { path, file, .. } = doomed;
    let code = match dice.below(5) {
        0 => ftp.try_ask(&format!("CWD {path}"))?.code,
        1 => ftp.try_ask(&format!("SIZE {path}/{file}"))?.code,
        2 => ftp.try_ask(&format!("MLST {path}/{file}"))?.code,
        3 => ftp.try_fetch(&format!("RETR {path}/{file}"))?.map_or_else(|reply| reply.code, |_| 226),
        _ => ftp.try_fetch(&format!("NLST {path}"))?.map_or_else(|reply| reply.code, |_| 226),
    };
    assert_eq!(code, 550, "{context}: {path} has expired");
    Ok(())
}
