//! What a worker asks for, and what that changes.

use super::model::{Content, Model, PathModel, Piece};
use crate::ftp::{Ftp, Reply};
use mayfly_core::date;
use std::io;

/// One thing to be done in one path.
#[derive(Clone, Debug)]
pub(super) enum Errand {
    Make { path: String },
    Store { path: String, name: String, piece: Piece },
    Append { path: String, name: String, piece: Piece },
    Delete { path: String, name: String },
    RenameFile { path: String, from: String, to: String },
    RenamePath { path: String, to: String },
    Date { path: String, expiry_s: i64, site: bool },
    Remove { path: String },
    Read { path: String, name: String, content: Content },
}

impl Errand {
    /// Asks the server. The last reply, and whether it says that all was done.
    pub(super) fn perform(&self, ftp: &mut Ftp) -> io::Result<(Reply, bool)> {
        let (reply, code) = match self {
            Self::Make { path } => (ftp.try_ask(&format!("MKD {path}"))?, 257),
            Self::Store { path, name, piece } => (ftp.try_store(&format!("STOR {path}/{name}"), &piece.bytes())?, 226),
            Self::Append { path, name, piece } => (ftp.try_store(&format!("APPE {path}/{name}"), &piece.bytes())?, 226),
            Self::Delete { path, name } => (ftp.try_ask(&format!("DELE {path}/{name}"))?, 250),
            Self::RenameFile { path, from, to } => {
                (rename(ftp, &format!("{path}/{from}"), &format!("{path}/{to}"))?, 250)
            }
            Self::RenamePath { path, to } => (rename(ftp, path, to)?, 250),
            Self::Date { path, expiry_s, site: true } => {
                (ftp.try_ask(&format!("SITE EXPIRY {path} {}", date::time_val(*expiry_s)))?, 200)
            }
            Self::Date { path, expiry_s, site: false } => {
                (ftp.try_ask(&format!("SETEXPIRY {path} {}", date::time_val(*expiry_s)))?, 0)
            }
            Self::Remove { path } => (ftp.try_ask(&format!("RMD {path}"))?, 250),
            Self::Read { path, name, content } => {
                return Ok(match ftp.try_fetch(&format!("RETR {path}/{name}"))? {
                    Ok(bytes) => {
                        assert!(bytes == content.bytes(), "{path}/{name} holds something else");
                        (Reply { code: 226, lines: Vec::new() }, true)
                    }
                    Err(reply) => (reply, false),
                });
            }
        };
        let done = reply.code == code;
        Ok((reply, done))
    }

    /// Where.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Make { path }
            | Self::Store { path, .. }
            | Self::Append { path, .. }
            | Self::Delete { path, .. }
            | Self::RenameFile { path, .. }
            | Self::RenamePath { path, .. }
            | Self::Date { path, .. }
            | Self::Remove { path }
            | Self::Read { path, .. } => path,
        }
    }

    /// What must stand there once it is done.
    pub(super) fn apply(&self, model: &mut Model) {
        match self {
            Self::Make { path } => drop(model.insert(path.clone(), PathModel::default())),
            Self::Remove { path } => drop(model.remove(path)),
            Self::RenamePath { path, to } => {
                let moved = model.remove(path).expect("a worker renames what it has");
                model.insert(to.clone(), moved);
            }
            _ => self.apply_inside(model.get_mut(self.path()).expect("a worker works in what it has")),
        }
    }

    fn apply_inside(&self, path: &mut PathModel) {
        match self {
            Self::Store { name, piece, .. } => drop(path.files.insert(name.clone(), Content(vec![*piece]))),
            Self::Append { name, piece, .. } => path.files.entry(name.clone()).or_default().0.push(*piece),
            Self::Delete { name, .. } => drop(path.files.remove(name)),
            Self::RenameFile { from, to, .. } => {
                let content = path.files.remove(from).expect("a worker renames what it has");
                path.files.insert(to.clone(), content);
            }
            Self::Date { expiry_s, .. } => path.expiry_s = Some(*expiry_s),
            Self::Make { .. } | Self::Remove { .. } | Self::RenamePath { .. } | Self::Read { .. } => {}
        }
    }
}

fn rename(ftp: &mut Ftp, from: &str, to: &str) -> io::Result<Reply> {
    let reply = ftp.try_ask(&format!("RNFR {from}"))?;
    if reply.code == 350 { ftp.try_ask(&format!("RNTO {to}")) } else { Ok(reply) }
}
