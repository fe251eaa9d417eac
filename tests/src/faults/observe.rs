//! What a client finds in a path.

use super::model::PathModel;
use super::utc_s;
use crate::ftp::Ftp;
use mayfly_core::date;
use std::collections::BTreeMap;
use std::io;

/// What was found, between these two seconds.
#[derive(Debug)]
pub(super) struct Observation {
    found: Found,
    from_s: i64,
    to_s: i64,
}

#[derive(Debug)]
enum Found {
    Missing,
    Expired,
    /// A date, as 213 told it, and every file.
    Living {
        expiry: String,
        files: BTreeMap<String, Vec<u8>>,
    },
}

/// Looks at all that is there.
pub(super) fn observe(ftp: &mut Ftp, path: &str) -> io::Result<Observation> {
    let from_s = utc_s();
    let found = look(ftp, path)?;
    Ok(Observation { found, from_s, to_s: utc_s() })
}

fn look(ftp: &mut Ftp, path: &str) -> io::Result<Found> {
    let reply = ftp.try_ask(&format!("CWD {path}"))?;
    match (reply.code, reply.last().trim_end_matches('.')) {
        (250, _) => {}
        (550, "Storage path expired") => return Ok(Found::Expired),
        (550, "Invalid storage path") => return Ok(Found::Missing),
        _ => panic!("CWD {path}: {reply:?}"),
    }
    let reply = ftp.try_ask(&format!("SITE EXPIRY {path}"))?;
    if reply.code != 213 {
        return Ok(Found::Expired);
    }
    let expiry = reply.last().to_owned();
    let Ok(names) = ftp.try_fetch(&format!("NLST {path}"))? else { return Ok(Found::Expired) };
    let mut files = BTreeMap::new();
    for line in String::from_utf8_lossy(&names).lines() {
        let name = line.rsplit('/').next().unwrap_or_default();
        match ftp.try_fetch(&format!("RETR {path}/{name}"))? {
            Ok(bytes) => drop(files.insert(name.to_owned(), bytes)),
            Err(_) => return Ok(Found::Expired),
        }
    }
    Ok(Found::Living { expiry, files })
}

impl Observation {
    pub(super) fn is_expired(&self) -> bool {
        matches!(self.found, Found::Expired)
    }

    /// Whether this must be so where that must stand; none: nothing.
    pub(super) fn agrees_with(&self, path: Option<&PathModel>) -> bool {
        match (&self.found, path) {
            (Found::Missing, None) => true,
            (Found::Missing | Found::Living { .. }, _) if path.is_some_and(|path| path.is_expired(self.from_s)) => {
                // The tombstone of one that went right at the kill may be missing; nothing may be readable.
                matches!(self.found, Found::Missing)
            }
            (Found::Expired, Some(path)) => path.is_expired(self.to_s),
            (Found::Living { expiry, files }, Some(path)) => {
                let dated = path.expiry_s.map_or_else(|| "never".to_owned(), date::time_val);
                let same_names = files.keys().eq(path.files.keys());
                *expiry == dated
                    && same_names
                    && files.values().zip(path.files.values()).all(|(is, be)| *is == be.bytes())
            }
            (Found::Missing, Some(_)) | (Found::Expired | Found::Living { .. }, None) => false,
        }
    }
}
