//! What a listing shows of an entry, in each of its forms.

use super::Session;
use crate::expiry;
use crate::listing::facts::{FactSet, Known, Place, push_facts};
use crate::listing::long::{push_long, shown_owner};
use crate::listing::push_name;
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::record::{ANONYMOUS, Entry, EntryRecord, FileInfo, FileKind, Record, RecordAt};
use crate::time::Now;
use crate::user::{Right, Rights};
use alloc::string::{String, ToString};

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListingForm {
    /// LIST.
    Long,
    /// NLST.
    Names,
    /// MLSD, with these facts.
    Facts(FactSet),
}

/// What decides about a listing's lines.
pub(super) struct View {
    now: Now,
    form: ListingForm,
    /// What stands before each name.
    prefix: String,
    /// `-F`.
    classify: bool,
    /// Of the directory, from the root down.
    expiry_s: Option<i64>,
    /// Who made the storage path that the directory is in.
    owner: String,
    /// The `perm` of a file in it, of a directory in it, and of itself.
    perms: [String; 3],
}

/// What is known of one line beside what the storage says.
struct About<'a> {
    place: Place,
    owner: &'a str,
    perm: &'a str,
    created_s: Option<i64>,
    expiry_s: Option<i64>,
}

impl Session {
    /// What a listing of this directory, or of what is in it, shows now.
    pub(super) fn view(&self, now: Now, form: ListingForm, directory: &VirtualPath, way: &[RecordAt]) -> View {
        let rights = self.rights_at(way);
        // Nobody removes or renames the root, nor the home that they are confined to.
        let lacking: &[Right] = if self.is_top(directory) { &[Right::Delete, Right::Rename] } else { &[] };
        View {
            now,
            form,
            prefix: String::new(),
            classify: false,
            expiry_s: expiry::effective(way),
            owner: owner_of(way.last().map(|at| &at.record)),
            perms: [
                perm(FileKind::File, rights, &[]),
                perm(FileKind::Directory, rights, &[]),
                perm(FileKind::Directory, rights, lacking),
            ],
        }
    }

    /// Adds the line of an entry, with its end.
    pub(super) fn push_entry(&self, view: &View, entry: &Entry, text: &mut String) {
        let info = &entry.info;
        let about = view.about(Place::Entry, info);
        let EntryRecord::Read(record) = &entry.record else {
            let about = About { expiry_s: expiry::earlier(view.expiry_s, info.expiry_s), ..about };
            return view.push(info, &about, &entry.name, text);
        };
        let own_perm = self.owns(record).then(|| perm(info.kind, Rights::ALL, &[]));
        let about = About {
            owner: &owner_of(Some(record)),
            perm: own_perm.as_deref().unwrap_or(about.perm),
            created_s: Some(record.created_s),
            expiry_s: expiry::earlier(view.expiry_s, record.expiry_s),
            ..about
        };
        view.push(info, &about, &entry.name, text);
    }
}

impl View {
    /// The same with this before each name, and with or without a mark after those of directories and links.
    pub(super) fn with(self, prefix: String, classify: bool) -> Self {
        Self { prefix, classify, ..self }
    }

    /// Whether the entry is there for clients.
    pub(super) fn shows(&self, entry: &Entry) -> bool {
        expiry::lives(entry, self.now) && entry.info.kind != FileKind::Other && !entry.name.starts_with(RESERVED_PREFIX)
    }

    /// Adds the line of the directory itself, or of the one above it where that one's view is this, with its end.
    pub(super) fn push_directory(&self, place: Place, info: &FileInfo, name: &str, text: &mut String) {
        self.push(info, &self.about(place, info), name, text);
    }

    fn about(&self, place: Place, info: &FileInfo) -> About<'_> {
        let [of_file, of_directory, own] = &self.perms;
        let perm = match (place, info.kind) {
            (Place::Entry, FileKind::File) => of_file,
            (Place::Entry, FileKind::Directory) => of_directory,
            (_, FileKind::Directory) => own,
            // Neither followed nor opened, nor removed.
            _ => "",
        };
        About { place, owner: &self.owner, perm, created_s: info.created_s, expiry_s: self.expiry_s }
    }

    fn push(&self, info: &FileInfo, about: &About<'_>, name: &str, text: &mut String) {
        match self.form {
            ListingForm::Long if self.prefix.is_empty() => push_long(text, info, about.owner, name, self.now),
            ListingForm::Long => push_long(text, info, about.owner, &[self.prefix.as_str(), name].concat(), self.now),
            ListingForm::Names => {
                push_name(text, &self.prefix);
                push_name(text, name);
            }
            ListingForm::Facts(chosen) => {
                let About { place, owner, perm, created_s, expiry_s } = *about;
                push_facts(text, chosen, &Known { info, place, perm, owner, created_s, expiry_s }, name);
            }
        }
        match info.kind {
            FileKind::Directory if self.classify => text.push('/'),
            FileKind::Link if self.classify => text.push('@'),
            _ => {}
        }
        text.push_str("\r\n");
    }
}

/// A file as if it stood in a listing of its directory.
pub(super) fn entry_of(name: &str, info: &FileInfo, record: Option<&Record>) -> Entry {
    let record = record.cloned().map_or(EntryRecord::None, EntryRecord::Read);
    Entry { name: name.to_string(), info: info.clone(), record }
}

/// Who made this, as clients see it: what an anonymous client made belongs to nobody by name.
fn owner_of(record: Option<&Record>) -> String {
    match record {
        Some(record) if record.owner != ANONYMOUS => shown_owner(&record.owner),
        _ => shown_owner(""),
    }
}

/// The `perm` fact (RFC 3659 7.5.5): what these rights let one do with it, but for those that are lacking.
fn perm(kind: FileKind, rights: Rights, lacking: &[Right]) -> String {
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
    let is_allowed = |letter: char, right| rights.allow(right) && (letter == 'p' || !lacking.contains(&right));
    let allowed = letters.iter().filter(|(letter, right)| is_allowed(*letter, *right));
    let mut perm: String = allowed.map(|(letter, _)| *letter).collect();
    if kind == FileKind::Directory {
        // Whoever knows the name may enter.
        perm.push('e');
    }
    perm
}
