//! What the argument of a listing means: the places that are looked at one after the other, and what is listed then.

use super::state::Flow;
use super::view::{ListingForm, entry_of};
use super::walk::{Start, Walk};
use super::{Session, access, quirk};
use crate::expiry::{self, Judgement};
use crate::listing::glob::{PatternPath, unescaped};
use crate::listing::options::{ListingOptions, ListingRequest};
use crate::path::VirtualPath;
use crate::record::{Entry, FileKind, PathState};
use crate::time::Now;
use crate::user::Right;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;
use core::ops::ControlFlow::{Break, Continue};

/// A listing whose path is being looked up.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) form: ListingForm,
    request: ListingRequest,
    place: Place,
    /// What the command says when it fails.
    failure: &'static str,
}

/// Where it is looked up.
#[derive(Debug)]
enum Place {
    /// The whole argument, dashes too, as a name.
    Dashed,
    /// The path as written.
    Written,
    /// The seed's second place.
    Second,
    /// The path with its escapes undone.
    Unescaped,
    /// The directory in which its patterns begin.
    Pattern(PatternPath),
}

/// What the place that was looked at comes to.
pub(super) enum Found {
    /// Nothing: look here.
    Elsewhere(VirtualPath),
    /// One line: a file, a link, or with `-d` a directory.
    Single(Entry, ListingOptions),
    /// What is to be gone through.
    Walk(Box<Walk>),
}

impl Lookup {
    pub(super) fn new(form: ListingForm, request: ListingRequest, failure: &'static str) -> Self {
        Self { form, request, place: Place::Written, failure }
    }

    /// The path as written.
    fn written(&self) -> &str {
        self.request.path().unwrap_or_default()
    }

    /// Whether it is LIST, NLST or STAT, which know options and patterns; MLSD takes a path alone (RFC 3659 7).
    fn is_of_ls(&self) -> bool {
        !matches!(self.form, ListingForm::Facts(_))
    }
}

impl Session {
    /// Where to look first.
    pub(super) fn first_place(&self, lookup: &mut Lookup) -> Flow<VirtualPath> {
        if let Some(literal) = lookup.request.literal().filter(|_| lookup.is_of_ls())
            && let Ok(path) = self.resolve(literal)
        {
            lookup.place = Place::Dashed;
            return Continue(path);
        }
        self.looked_up(lookup.written(), lookup.failure)
    }

    /// Where to look when nothing was there; none where there is no other place.
    fn next_place(&self, lookup: &mut Lookup) -> Flow<Option<VirtualPath>> {
        if matches!(lookup.place, Place::Dashed) {
            lookup.place = Place::Written;
            return self.looked_up(lookup.written(), lookup.failure).map_continue(Some);
        }
        if !lookup.is_of_ls() {
            return Continue(None);
        }
        if matches!(lookup.place, Place::Written) {
            lookup.place = Place::Second;
            let place = &self.place;
            let argument = lookup.request.path();
            if let Some(path) = argument
                .and_then(|argument| quirk::second_place(argument, &place.directory, place.last_argument.as_deref()))
                .filter(|path| self.sees(path))
            {
                return Continue(Some(path));
            }
        }
        if !matches!(lookup.place, Place::Second) {
            return Continue(None);
        }
        if let Some(pattern) = PatternPath::parse(lookup.written()) {
            let base = self.looked_up(&pattern.base, lookup.failure)?;
            lookup.place = Place::Pattern(pattern);
            return Continue(Some(base));
        }
        let plain = unescaped(lookup.written());
        if plain == lookup.written() {
            return Continue(None);
        }
        lookup.place = Place::Unescaped;
        self.looked_up(&plain, lookup.failure).map_continue(Some)
    }

    /// What stands at the place that was looked at. The right to list it is checked here.
    pub(super) fn found(&self, now: Now, lookup: &mut Lookup, path: VirtualPath, state: &PathState) -> Flow<Found> {
        if expiry::judge(state, now) == Judgement::Missing
            && let Some(next) = self.next_place(lookup)?
        {
            return Continue(Found::Elsewhere(next));
        }
        let info = access::living(now, state, lookup.failure)?;
        self.permit(Right::List, &state.records)?;
        let options =
            if matches!(lookup.place, Place::Dashed) { ListingOptions::default() } else { lookup.request.options };
        let form = lookup.form_with(options);
        let is_pattern = matches!(lookup.place, Place::Pattern(_));
        let is_single = match info.kind {
            FileKind::Directory => options.itself && !is_pattern,
            // RFC 3659 7.2.1: 501 where MLSD is asked about what is not a directory.
            _ if !lookup.is_of_ls() => {
                return Break(Reply::new(501, lookup.failure).with_detail(text::NOT_DIRECTORY));
            }
            FileKind::File | FileKind::Link => true,
            FileKind::Other => return Break(Reply::new(550, lookup.failure)),
        };
        if is_pattern && info.kind != FileKind::Directory {
            return Break(Reply::new(550, lookup.failure).with_detail(text::NOT_DIRECTORY));
        }
        let (written, steps) = self.written_at(lookup, &path);
        if is_single {
            let name = match form {
                ListingForm::Names => written.as_str(),
                _ => path.name(),
            };
            let name = if options.itself && info.kind == FileKind::Directory { written.as_str() } else { name };
            let name = if name.is_empty() { "." } else { name };
            return Continue(Found::Single(entry_of(name, info, expiry::own(&state.records, &path)), options));
        }
        let base = if written.is_empty() || written.ends_with('/') { written } else { written + "/" };
        let (way, info) = (state.records.clone(), info.clone());
        Continue(Found::Walk(Box::new(Walk::new(form, options, Start { path, base, steps, way, info }))))
    }

    /// How what is listed is written, so that it means the same seen from the working directory; and the patterns
    /// beneath it.
    fn written_at(&self, lookup: &mut Lookup, path: &VirtualPath) -> (String, Vec<crate::listing::glob::PatternStep>) {
        let written = match &mut lookup.place {
            Place::Dashed => lookup.request.argument().to_string(),
            Place::Written => lookup.written().to_string(),
            Place::Second if *path == self.place.directory => String::new(),
            Place::Second => path.to_string(),
            Place::Unescaped => unescaped(lookup.written()),
            Place::Pattern(pattern) => return (mem::take(&mut pattern.base), mem::take(&mut pattern.steps)),
        };
        (written, Vec::new())
    }
}

impl Lookup {
    /// NLST with `-l` shows what LIST does.
    fn form_with(&self, options: ListingOptions) -> ListingForm {
        if self.form == ListingForm::Names && options.long { ListingForm::Long } else { self.form }
    }
}
