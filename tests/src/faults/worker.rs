//! A client that remembers what was acknowledged.

use super::errand::Errand;
use super::model::{Model, PathModel, Piece};
use super::observe::{Observation, observe};
use super::stranger::Doomed;
use super::{Dice, Shared, utc_s};
use crate::ftp::Ftp;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// See the module.
pub(super) struct Worker {
    number: usize,
    dice: Dice,
    /// What was acknowledged.
    model: Model,
    /// What was asked for last and never answered.
    pending: Option<Errand>,
    /// Paths that have expired: on the disk until they are reaped.
    gone: BTreeSet<String>,
    /// For names that were never used.
    last_name: usize,
    pub(super) unanswered: usize,
    pub(super) happened: usize,
}

impl Worker {
    pub(super) fn new(number: usize, dice: Dice) -> Self {
        let (model, gone) = (Model::new(), BTreeSet::new());
        Self { number, dice, model, pending: None, gone, last_name: 0, unanswered: 0, happened: 0 }
    }

    /// Looks at what the last kill has left, then works until the server is gone.
    pub(super) fn work(&mut self, server: SocketAddr, shared: &Shared, context: &str) {
        // Whatever breaks off here breaks off because the server was killed, or the next look shows it.
        let _: io::Result<()> = self.try_work(server, shared, context);
    }

    fn try_work(&mut self, server: SocketAddr, shared: &Shared, context: &str) -> io::Result<()> {
        let mut ftp = Ftp::try_log_in(server)?;
        self.try_look(&mut ftp, context)?;
        self.claim(&mut ftp, context)?;
        loop {
            let errand = self.next_errand();
            match errand.perform(&mut ftp) {
                Ok((_, true)) => self.acknowledged(&errand, &mut ftp, shared)?,
                Ok((reply, false)) => {
                    let path = self.model.get(errand.path());
                    let may_fail = reply.code == 550 && path.is_some_and(|path| path.is_expired(utc_s()));
                    assert!(may_fail, "{context}: {errand:?} got {reply:?}");
                    self.model.remove(errand.path());
                    self.gone.insert(errand.path().to_owned());
                }
                Err(error) => {
                    self.unanswered += 1;
                    self.pending = Some(errand);
                    return Err(error);
                }
            }
        }
    }

    fn acknowledged(&mut self, errand: &Errand, ftp: &mut Ftp, shared: &Shared) -> io::Result<()> {
        shared.acknowledge();
        errand.apply(&mut self.model);
        match errand {
            Errand::Make { path } => {
                let reply = ftp.try_ask(&format!("SITE TOKEN {path}"))?;
                assert_eq!(reply.code, 213, "{reply:?}");
                self.model.entry(path.clone()).or_default().token = Some(reply.last().to_owned());
            }
            Errand::Date { path, expiry_s, .. } if *expiry_s < utc_s() + DOOMED_S => {
                let file = self.model[path].files.keys().next().cloned().unwrap_or_else(|| "nothing".to_owned());
                shared.doom(Doomed { path: path.clone(), file, expiry_s: *expiry_s });
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether all is as it must be, with a session of its own.
    pub(super) fn look(&mut self, server: SocketAddr, context: &str) {
        let mut ftp = Ftp::log_in(server);
        self.try_look(&mut ftp, context).expect("nobody kills this server");
    }

    fn try_look(&mut self, ftp: &mut Ftp, context: &str) -> io::Result<()> {
        let other = self.model_if_done();
        let names: BTreeSet<&String> = self.model.keys().chain(other.keys()).collect();
        let mut observations: BTreeMap<String, Observation> = BTreeMap::new();
        for name in names {
            observations.insert(name.clone(), observe(ftp, name)?);
        }
        let agrees = |model: &Model| observations.iter().all(|(name, seen)| seen.agrees_with(model.get(name)));
        if !agrees(&self.model) {
            let wrong = observations.iter().find(|(name, seen)| !seen.agrees_with(self.model.get(*name)));
            assert!(
                agrees(&other),
                "{context}: worker {} had asked for {:?}, and now finds {wrong:#?}, where it had {:?}",
                self.number,
                self.pending,
                wrong.map(|(name, _)| self.model.get(name)),
            );
            self.model = other;
            self.happened += 1;
        }
        self.pending = None;
        for (name, seen) in observations {
            if seen.is_expired() {
                self.model.remove(&name);
                self.gone.insert(name);
            }
        }
        Ok(())
    }

    /// What must stand there if the last errand was carried out, though nobody said so.
    fn model_if_done(&self) -> Model {
        let mut other = self.model.clone();
        if let Some(errand) = &self.pending {
            errand.apply(&mut other);
        }
        other
    }

    /// On the disk of a server that is dead: each visible name is one that was acknowledged or asked for last, and whole.
    pub(super) fn check_disk(&self, root: &Path, context: &str) {
        let other = self.model_if_done();
        let prefix = self.prefix();
        for name in visible(root).into_iter().filter(|name| name.starts_with(&prefix[1..])) {
            let path = format!("/{name}");
            if self.gone.contains(&path) {
                continue;
            }
            let candidates: Vec<&PathModel> = [self.model.get(&path), other.get(&path)].into_iter().flatten().collect();
            assert!(!candidates.is_empty(), "{context}: nobody has made {path}");
            for file in visible(&root.join(&name)) {
                let is = fs::read(root.join(&name).join(&file)).expect("it was listed");
                let be = candidates.iter().filter_map(|path| path.files.get(&file));
                let is_whole = be.into_iter().any(|content| content.size() == is.len() && content.bytes() == is);
                assert!(is_whole, "{context}: {path}/{file} holds {} bytes that nobody has sent whole", is.len());
            }
        }
    }

    /// Makes the paths of earlier sessions this one's own.
    fn claim(&mut self, ftp: &mut Ftp, context: &str) -> io::Result<()> {
        for (name, path) in &self.model {
            let Some(token) = &path.token else { continue };
            let reply = ftp.try_ask(&format!("SITE CLAIM {name} {token}"))?;
            let may_fail = reply.code == 550 && path.is_expired(utc_s());
            assert!(reply.code == 200 || may_fail, "{context}: {name}: {reply:?}");
        }
        Ok(())
    }

    fn next_errand(&mut self) -> Errand {
        let now_s = utc_s();
        // What is about to expire is left alone.
        let is_lasting = |path: &PathModel| path.expiry_s.is_none_or(|expiry_s| expiry_s > now_s + DOOMED_S);
        let own = self.model.iter().filter(|(_, path)| path.token.is_some() && is_lasting(path));
        let own: Vec<String> = own.map(|(name, _)| name.clone()).collect();
        let chosen = self.dice.one_of(&own).cloned();
        let Some(path) = chosen.filter(|_| own.len() >= PATHS_MIN) else {
            return Errand::Make { path: self.fresh_path() };
        };
        let files: Vec<String> = self.model[&path].files.keys().cloned().collect();
        let name = self.dice.one_of(&files).cloned();
        match (self.dice.below(100), name) {
            (0..8, _) => Errand::Make { path: self.fresh_path() },
            (8..16, _) => {
                // Some are left alone from now on, and go; others live on.
                let doomed = self.dice.below(2) == 0;
                let expiry_s = now_s + if doomed { 2 } else { 3600 + i64::from(self.dice.below_u32(100_000)) };
                Errand::Date { path, expiry_s, site: self.dice.below(2) == 0 }
            }
            (16..22, _) => Errand::RenamePath { to: self.fresh_path(), path },
            (22..26, None) => Errand::Remove { path },
            (26..36, Some(name)) => Errand::Append { path, name, piece: self.piece() },
            (36..46, Some(name)) => Errand::Store { path, name, piece: self.piece() },
            (46..56, Some(name)) => Errand::Delete { path, name },
            (56..66, Some(from)) => Errand::RenameFile { path, from, to: self.fresh_name() },
            (66..72, Some(name)) => {
                let content = self.model[&path].files[&name].clone();
                Errand::Read { path, name, content }
            }
            _ => Errand::Store { path, name: self.fresh_name(), piece: self.piece() },
        }
    }

    fn piece(&mut self) -> Piece {
        // Most are small, and some come in many pieces.
        let bound = if self.dice.below(10) == 0 { 2 << 20 } else { 64 << 10 };
        Piece { seed: self.dice.throw(), bytes: self.dice.below(bound) }
    }

    fn fresh_path(&mut self) -> String {
        self.last_name += 1;
        format!("{}{}", self.prefix(), self.last_name)
    }

    fn fresh_name(&mut self) -> String {
        self.last_name += 1;
        format!("f{}", self.last_name)
    }

    fn prefix(&self) -> String {
        format!("/w{}-", self.number)
    }
}

/// The names that a client may see.
fn visible(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with(".mayfly")).collect()
}

/// Paths that live on, at least.
const PATHS_MIN: usize = 3;
/// A date within so many seconds is the last that a path gets.
const DOOMED_S: i64 = 60;
