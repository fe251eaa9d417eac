//! Each step of the storage fails in turn: the right replies, a session that lives, and no debris. What real file systems
//! do beneath the real binaries is tried in `disk_faults.rs`.

#![expect(clippy::unwrap_used, reason = "a test")]

use mayfly_core::error::StorageError;
use mayfly_core::user::Rights;
use mayfly_std::clock::SystemClock;
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve, ServeHandle as _};
use mayfly_std::storage::durability::Durability;
use mayfly_std::storage::local::LocalStorage;
use mayfly_tests::faulty::{At, Fault, Faulty};
use mayfly_tests::ftp::{Ftp, Reply};
use mayfly_tests::noise;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

#[test]
fn each_step_may_fail_std() {
    each_step_may_fail::<mayfly_std::listen::Server>();
}

#[test]
fn each_step_may_fail_smol() {
    each_step_may_fail::<mayfly_smol::Server>();
}

/// The n-th step fails, for every n, until a run ends untouched.
fn each_step_may_fail<S: Serve + Send + 'static>() {
    let ground = Ground::<S>::new();
    for (error, code) in [(StorageError::NoSpace, 452), (StorageError::ReadOnly, 550), (StorageError::Failed, 451)] {
        let any_call = error == StorageError::Failed;
        for (is_done, lasts) in [(false, false), (true, false), (false, true)] {
            for n in 0.. {
                let at = if any_call { At::Call(n) } else { At::Change(n) };
                let fault = Fault { at, error, is_done, lasts };
                if !ground.run(fault, code) {
                    assert!(n > 10, "a run has more steps than {n}");
                    break;
                }
            }
        }
        for byte in [0, 1, 100_000, 300_000 - 1, 300_000, 599_999, 649_999] {
            let fault = Fault { at: At::Byte(byte), error, is_done: false, lasts: false };
            assert!(ground.run(fault, code), "{fault:?}");
        }
    }
}

/// A server on a storage that fails.
struct Ground<S: Serve> {
    root: tempfile::TempDir,
    storage: Faulty,
    handle: S::Handle,
    address: SocketAddr,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl<S: Serve + Send + 'static> Ground<S> {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let local = LocalStorage::open(root.path(), Durability::Data, Arc::new(SystemClock)).unwrap();
        let storage = Faulty::new(Arc::new(local));
        let listen = vec!["127.0.0.1:0".parse().unwrap()];
        let mut options = ServeOptions { listen, root: root.path().to_owned(), ..ServeOptions::default() };
        // So that whatever a failed command has left can be cleared away.
        options.session.anonymous_rights = Some(Rights::ALL);
        options.max_sessions_per_address = 0;
        options.door.connections_per_minute = 0;
        let given = storage.clone();
        let server = S::bind_with(&options, Arc::new(SystemClock), |_, _| Ok(Arc::new(given))).unwrap();
        let (handle, address) = (server.handle(), server.local_addresses()[0]);
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { root, storage, handle, address, thread }
    }

    /// One session in which this fault happens, or, where there are not so many steps, does not: tells which.
    fn run(&self, fault: Fault, code: u16) -> bool {
        let mut ftp = Ftp::log_in(self.address);
        self.storage.arm(fault);
        let mut run = Run { ftp: &mut ftp, top: self.root.path(), fault, code, has_failed: false };
        run.session();
        let has_failed = run.has_failed;
        let has_fired = self.storage.disarm();
        assert_eq!(has_failed, has_fired, "{fault:?}: a step that failed is told, and no other");
        assert_eq!(ftp.ask("NOOP").code, 200, "{fault:?}: the session lives");
        // Whatever has come of it can be cleared away, and then nothing is left but what the reaper empties.
        for line in ["DELE d/a", "DELE d/b", "RMD d"] {
            ftp.ask(line);
        }
        let left: Vec<PathBuf> = files(self.root.path());
        assert_eq!(left, Vec::<PathBuf>::new(), "{fault:?}");
        has_fired
    }
}

impl<S: Serve> Drop for Ground<S> {
    fn drop(&mut self) {
        self.handle.shut_down();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || matches!(ended, Ok(Ok(()))), "{ended:?}");
        }
    }
}

/// What stands there outside of the trash.
fn files(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(top).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if name != ".mayfly-trash" {
            found.push(entry.path());
            if entry.file_type().unwrap().is_dir() {
                found.extend(files(&entry.path()));
            }
        }
    }
    found
}

struct Run<'a> {
    ftp: &'a mut Ftp,
    top: &'a Path,
    fault: Fault,
    code: u16,
    has_failed: bool,
}

impl Run<'_> {
    /// Each command that changes something; after each the disk shows the old or the new, never something between.
    fn session(&mut self) {
        let [old, new, more] = [(300_000, 0), (300_000, 1), (50_000, 2)].map(|(length, mark)| {
            let mut bytes = noise(length);
            bytes[0] = mark;
            bytes
        });
        let made = self.ask("MKD d");
        if !made && !self.fault.is_done {
            assert!(!self.top.join("d").exists(), "{:?}", self.fault);
        }
        self.ask("SETEXPIRY d 7d");
        let mut there = self.store("STOR d/a", &old, None, made);
        there = self.store("STOR d/a", &new, there.as_ref(), made);
        let longer = there.as_ref().map_or_else(|| more.clone(), |there| [there.as_slice(), &more].concat());
        there = self.append("APPE d/a", &more, &longer, there.as_ref(), made);
        self.ask("SIZE d/a");
        self.ask("MDTM d/a");
        self.ask("MLST d/a");
        self.ask("HASH d/a");
        self.ask("STAT d");
        self.fetch("LIST d", None);
        self.fetch("RETR d/a", there.as_deref());
        let from = self.ask("RNFR d/a");
        let renamed = from && self.ask("RNTO d/b");
        if there.is_some() && !self.fault.is_done {
            assert_eq!(self.top.join("d/b").exists(), renamed, "{:?}", self.fault);
            assert_eq!(self.top.join("d/a").exists(), !renamed, "{:?}", self.fault);
        }
        self.ask("DELE d/b");
        self.ask("DELE d/a");
        self.ask("RMD d");
    }

    /// Whether it was done.
    fn ask(&mut self, line: &str) -> bool {
        let reply = self.ftp.ask(line);
        self.take(line, &reply)
    }

    fn take(&mut self, line: &str, reply: &Reply) -> bool {
        let code = reply.code;
        // What is not there because an earlier command failed is a 550 or 553; a lasting fault fails them all.
        let follows = self.has_failed && [550, 553, 503].contains(&code);
        let done = code < 400;
        let is_fault = code == self.code && (code != 550 || reply.last().ends_with("Permission denied."));
        if is_fault && (!self.has_failed || self.fault.lasts) {
            self.has_failed = true;
        } else {
            assert!(done || follows || Self::allows(line, code), "{line}: {code}, {:?}", self.fault);
        }
        done
    }

    /// What is not there in any run.
    fn allows(line: &str, code: u16) -> bool {
        line == "DELE d/a" && code == 550
    }

    fn store(&mut self, line: &str, bytes: &[u8], there: Option<&Vec<u8>>, made: bool) -> Option<Vec<u8>> {
        self.append(line, bytes, bytes, there, made)
    }

    /// Sends these bytes; what stands there afterwards.
    fn append(
        &mut self,
        line: &str,
        bytes: &[u8],
        whole: &[u8],
        there: Option<&Vec<u8>>,
        made: bool,
    ) -> Option<Vec<u8>> {
        let reply = self.ftp.try_store(line, bytes);
        // A server that cannot go on closes the data connection under whoever sends; its reply comes all the same.
        let reply = reply.unwrap_or_else(|_| self.ftp.reply());
        let code = reply.code;
        let done = self.take(line, &reply);
        let now = fs::read(self.top.join("d/a")).ok();
        if done {
            assert!(now.as_deref() == Some(whole), "{line}: 226, {:?}", self.fault);
        } else if made {
            let is_new = self.fault.is_done && now.as_deref() == Some(whole);
            assert!(now.as_ref() == there || is_new, "{line}: {code}, {:?}: neither the old nor the new", self.fault);
        }
        now
    }

    fn fetch(&mut self, line: &str, whole: Option<&[u8]>) {
        match self.ftp.try_fetch(line).unwrap() {
            Ok(bytes) => {
                assert!(whole.is_none_or(|whole| whole == bytes), "{line}: 226, {:?}", self.fault);
            }
            Err(reply) => {
                self.take(line, &reply);
            }
        }
    }
}
