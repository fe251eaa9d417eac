//! One file of an upload: opened, announced, sent, stamped with its time, checked.

use super::super::event::{Fault, SourceInfo};
use super::super::failure::{Failure, FailureKind, kind_of};
use super::super::order::{DataOrder, Moved, Trouble, What};
use super::super::place;
use super::super::reply_reader::{Class, Heard};
use super::super::server::{Known, Server};
use super::super::step::Next;
use super::super::summary::FileDone;
use super::{Current, Path, Stage, Upload};
use crate::wire::command::Command;
use alloc::format;
use alloc::string::String;

impl Upload {
    /// Begins the file at hand, or goes on with it.
    pub(super) fn go_on_with_file(&mut self, server: &Server) -> Next {
        while let Some(reply) = self.order.files.get(self.file).and_then(|name| self.directories.refusal_above(name)) {
            let reply = Some(reply.clone());
            self.tally.add_refused(self.name(), FailureKind::Refused, reply);
            self.file += 1;
        }
        let Some(name) = self.order.files.get(self.file) else { return self.finish() };
        let Some(source) = self.current.source else {
            self.stage = Stage::Opening;
            return Next::OpenSource(u32::try_from(self.file).unwrap_or(u32::MAX));
        };
        let name = name.clone();
        let knows_size = server.features.size.may_be();
        if !self.current.begun {
            if self.path == Path::Found && self.current.there_before.is_none() && knows_size {
                return self.ask(Stage::Looking, Command::Size(name));
            }
            return self.announce(server, 0);
        }
        if !source.rewindable {
            let what = format!("{name} broke off, and standard input cannot be sent again");
            return Next::Fail(Failure::new(FailureKind::Partial, what));
        }
        let ours = self.current.there_before != Some(true);
        if ours && knows_size && server.features.restart.may_be() {
            return self.ask(Stage::Resuming, Command::Size(name));
        }
        self.announce(server, 0)
    }

    pub(super) fn on_looking(&mut self, server: &mut Server, reply: &Heard) -> Next {
        server.features.size.learn(reply);
        let there = place::size_of(reply);
        self.current.there_before = Some(there.is_some());
        let source = self.current.source;
        let size = source.and_then(|source| source.size_bytes);
        // It may be there whole; or less of it, which is to be gone on with.
        let parts = server.features.keeps_parts();
        let close = there.is_some_and(|there| Some(there) == size || (parts && there > 0 && Some(there) < size));
        if close && server.features.modification_time.may_be() {
            return self.ask(Stage::LookingCloser { there_bytes: there.unwrap_or(0) }, Command::Mdtm(self.name()));
        }
        self.announce(server, 0)
    }

    // Of one size and one time: an earlier run brought it over, and this one is for the rest.
    pub(super) fn on_looking_closer(&mut self, server: &mut Server, there_bytes: u64, reply: &Heard) -> Next {
        server.features.modification_time.learn(reply);
        let Some(SourceInfo { size_bytes: Some(size_bytes), modified_s, rewindable }) = self.current.source else {
            return self.announce(server, 0);
        };
        // DESIGN 5: SIZE shows the kept part of a broken upload to whoever may go on with it, and nothing else shows it.
        // Elsewhere a file that is shorter may be anybody's, and is sent anew.
        if reply.class() == Class::Never && server.features.keeps_parts() && rewindable {
            self.current.there_before = Some(false);
            return self.announce(server, there_bytes);
        }
        if there_bytes != size_bytes {
            return self.announce(server, 0);
        }
        if modified_s.is_none() || place::time_of(reply) != modified_s {
            return self.announce(server, 0);
        }
        (self.current.sent_bytes, self.current.modified_s) = (size_bytes, modified_s);
        self.file_done(server)
    }

    pub(super) fn on_resuming(&mut self, server: &Server, reply: &Heard) -> Next {
        let size = self.current.source.and_then(|source| source.size_bytes).unwrap_or(0);
        // More than there should be is not ours.
        let there = place::size_of(reply).filter(|there| *there <= size);
        self.announce(server, there.unwrap_or(0))
    }

    // With ALLO the server can refuse before the first byte, and can tell a part from the whole when this process
    // dies and the kernel ends its connections in order.
    pub(super) fn announce(&mut self, server: &Server, offset_bytes: u64) -> Next {
        self.current.offset_bytes = offset_bytes;
        match self.current.source.and_then(|source| source.size_bytes) {
            Some(size) if offset_bytes == 0 && server.takes_allo => self.ask(Stage::Announcing, Command::Allo(size)),
            _ => self.send(),
        }
    }

    pub(super) fn on_announcing(&mut self, server: &mut Server, reply: Heard) -> Next {
        if matches!(reply.code, 452 | 552) {
            return place::refused(FailureKind::NoSpace, &format!("no room for {}", self.name()), reply);
        }
        if reply.class() != Class::Done {
            server.takes_allo = false;
        }
        self.send()
    }

    pub(super) fn send(&mut self) -> Next {
        self.stage = Stage::Moving;
        let name = self.name();
        let size_bytes = self.current.source.and_then(|source| source.size_bytes);
        Next::Data(DataOrder {
            command: Command::Stor(name.clone()),
            what: What::Send { name, size_bytes },
            offset_bytes: self.current.offset_bytes,
            file: self.file,
        })
    }

    pub(super) fn name(&self) -> String {
        self.order.files.get(self.file).cloned().unwrap_or_default()
    }

    pub(super) fn on_moved(&mut self, server: &mut Server, moved: Moved) -> Next {
        self.current.begun |= moved.begun;
        match moved.outcome {
            Ok(_) => {
                self.current.sent_bytes = self.current.offset_bytes + moved.wire_bytes;
                self.stamp(server)
            }
            Err(Trouble::RestartRefused(_)) => {
                server.features.restart = Known::No;
                self.go_on_with_file(server)
            }
            Err(Trouble::Refused(reply)) if reply.class() == Class::Never => self.on_refused(server, reply),
            Err(trouble) => place::broken(&format!("{} broke off", self.name()), trouble, moved.wire_bytes > 0),
        }
    }

    pub(super) fn on_refused(&mut self, server: &Server, reply: Heard) -> Next {
        let kind = kind_of(FailureKind::Refused, &reply);
        if kind != FailureKind::Refused {
            return Next::Fail(Failure::by_reply(kind, format!("cannot send {}", self.name()), reply));
        }
        let offset_bytes = self.current.offset_bytes;
        if offset_bytes == 0 {
            self.tally.add_refused(self.name(), kind, Some(reply));
            return self.next_file(server);
        }
        if self.current.source.and_then(|source| source.size_bytes) == Some(offset_bytes) {
            // All of it is there, and may not be replaced: only its 226 was lost.
            self.current.sent_bytes = offset_bytes;
            return self.stamp(server);
        }
        self.current.there_before = Some(true);
        self.announce(server, 0)
    }

    pub(super) fn stamp(&mut self, server: &Server) -> Next {
        match self.current.source.and_then(|source| source.modified_s) {
            Some(modified_s) if server.features.set_modification_time == Known::Yes => {
                self.ask(Stage::Stamping, Command::Mfmt { modified_s, path: self.name() })
            }
            _ => self.check(server),
        }
    }

    pub(super) fn on_stamping(&mut self, server: &mut Server, reply: &Heard) -> Next {
        server.features.set_modification_time.learn(reply);
        if reply.class() == Class::Done {
            self.current.modified_s = self.current.source.and_then(|source| source.modified_s);
        }
        self.check(server)
    }

    pub(super) fn check(&mut self, server: &Server) -> Next {
        if server.features.size.may_be() {
            return self.ask(Stage::Checking, Command::Size(self.name()));
        }
        self.file_done(server)
    }

    pub(super) fn on_checking(&mut self, server: &mut Server, reply: &Heard) -> Next {
        server.features.size.learn(reply);
        let sent = self.current.sent_bytes;
        match place::size_of(reply) {
            Some(there) if there != sent => {
                let what = format!("{}: {there} bytes are there, {sent} were sent", self.name());
                Next::Again(Failure::new(FailureKind::Partial, what))
            }
            _ => self.file_done(server),
        }
    }

    pub(super) fn file_done(&mut self, server: &Server) -> Next {
        let Current { sent_bytes: size_bytes, modified_s, .. } = self.current;
        self.tally.add_done(FileDone { name: self.name(), size_bytes, modified_s });
        self.next_file(server)
    }

    pub(super) fn next_file(&mut self, server: &Server) -> Next {
        self.file += 1;
        self.current = Current::default();
        self.go_on_with_file(server)
    }

    pub(super) fn on_source(&mut self, server: &Server, outcome: Result<SourceInfo, Fault>) -> Next {
        match outcome {
            Ok(source) => {
                self.current.source = Some(source);
                self.go_on_with_file(server)
            }
            Err(fault) => {
                let what = format!("cannot read {}: {}", self.name(), fault.0);
                Next::Fail(Failure::new(FailureKind::Local, what))
            }
        }
    }
}
