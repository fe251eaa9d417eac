//! What a listing shows of an entry, in each of its forms.

use super::Session;
use crate::expiry;
use crate::listing;
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::record::{Entry, EntryRecord, FileInfo, FileKind, Record, RecordAt};
use crate::time::Now;
use crate::user::{Right, Rights};
use alloc::format;
use alloc::string::{String, ToString};

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListingForm {
    /// LIST.
    Long,
    /// NLST.
    Names,
    /// MLSD.
    Facts,
}

/// What decides about a listing's lines.
pub(super) struct View {
    now: Now,
    form: ListingForm,
    expiry_s: Option<i64>,
    rights: Rights,
}

impl Session {
    /// What a listing below this way shows now.
    pub(super) fn view(&self, now: Now, form: ListingForm, way: &[RecordAt]) -> View {
        View { now, form, expiry_s: expiry::effective(way), rights: self.rights_at(way) }
    }

    /// The line of one entry, with its end; none where it is not shown.
    pub(super) fn line(&self, view: &View, entry: &Entry) -> Option<String> {
        let record = match &entry.record {
            EntryRecord::None => None,
            EntryRecord::Read(record) if expiry::is_expired(record.expiry_s, view.now.utc_s) => return None,
            EntryRecord::Read(record) => Some(record),
            EntryRecord::Unreadable => return None,
        };
        if matches!(entry.info.kind, FileKind::Other | FileKind::Link) || entry.name.starts_with(RESERVED_PREFIX) {
            return None;
        }
        Some(match view.form {
            ListingForm::Long => format!("{}\r\n", listing::list_line(entry, view.now)),
            ListingForm::Names => format!("{}\r\n", listing::shown_name(&entry.name)),
            ListingForm::Facts => {
                format!("{}\r\n", listing::fact_line(&self.facts(view, &entry.info, record), &entry.name))
            }
        })
    }

    pub(super) fn facts(&self, view: &View, info: &FileInfo, record: Option<&Record>) -> String {
        let expiry_s = expiry::earlier(view.expiry_s, record.and_then(|record| record.expiry_s));
        let is_own = record.is_some_and(|record| self.owns(record));
        let rights = if is_own { Rights::ALL } else { view.rights };
        listing::facts(info, &perm(info.kind, rights), expiry_s)
    }
}

/// A file as if it stood in a listing of its directory.
pub(super) fn entry_of(path: &VirtualPath, info: &FileInfo) -> Entry {
    Entry { name: path.name().to_string(), info: info.clone(), record: EntryRecord::None }
}

/// The `perm` fact (RFC 3659 7.5.5): what these rights let one do with it.
fn perm(kind: FileKind, rights: Rights) -> String {
    let of_directory: &[(char, Right)] = &[
        ('c', Right::Write),
        ('d', Right::Delete),
        ('f', Right::Rename),
        ('l', Right::List),
        ('m', Right::Write),
        ('p', Right::Delete),
    ];
    let of_file: &[(char, Right)] = &[
        ('a', Right::Overwrite),
        ('d', Right::Delete),
        ('f', Right::Rename),
        ('r', Right::Read),
        ('w', Right::Overwrite),
    ];
    let letters = if kind == FileKind::Directory { of_directory } else { of_file };
    let mut perm: String =
        letters.iter().filter(|(_, right)| rights.allow(*right)).map(|(letter, _)| *letter).collect();
    if kind == FileKind::Directory {
        // Whoever knows the name may enter.
        perm.push('e');
    }
    perm
}
