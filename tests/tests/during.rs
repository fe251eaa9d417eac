//! ABOR, STAT and QUIT while a transfer runs: both drivers, each direction, a peer that pauses and one that does not, and
//! the line alone, behind Telnet's IP and DM, and behind urgent data in the two ways that clients send it. RFC 959 4.1.3,
//! RFC 1123 4.1.2.10 to 12.

use mayfly_tests::ftp::{Ftp, Reply};
use mayfly_tests::process::{Driver, PATIENCE, ServerProcess, wait_until};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// Larger than all that the two ends' kernels hold on the way.
const LARGE_BYTES: u64 = 128 * 1024 * 1024;
/// Never sent whole: it is a hole.
const ENDLESS_BYTES: u64 = 1 << 40;
/// What a peer that pauses has sent before.
const SENT_BYTES: usize = 100_000;

/// How a command is made heard.
#[derive(Clone, Copy, Debug)]
enum Signal {
    /// It is not: the line alone.
    Line,
    /// Telnet's Interrupt Process and Data Mark before it.
    Telnet,
    /// The same, the mark as urgent data.
    UrgentMark,
    /// As the BSD client does: IAC, IP and IAC are urgent, the mark is not.
    UrgentIac,
}

const SIGNALS: [Signal; 4] = [Signal::Line, Signal::Telnet, Signal::UrgentMark, Signal::UrgentIac];

/// What the peer does on the data connection meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Nothing more.
    Pauses,
    /// It reads or sends as fast as it can.
    GoesOn,
}

const PACES: [Pace; 2] = [Pace::Pauses, Pace::GoesOn];

/// A driver, a file system and a session.
struct Rig {
    root: TempDir,
    server: ServerProcess,
}

impl Rig {
    fn new(driver: Driver) -> Self {
        let root = tempfile::tempdir().expect("there is room");
        for (name, bytes) in [("large", LARGE_BYTES), ("endless", ENDLESS_BYTES)] {
            let file = File::create(root.path().join(name)).expect("it can be made");
            file.set_len(bytes).expect("a hole takes no room");
        }
        let server = ServerProcess::start(driver, root.path(), &["--durability", "none"]);
        Self { root, server }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join(name)
    }

    /// Each signal and pace, counted.
    fn each(&self, check: impl Fn(&Self, Ftp, Signal, Pace)) {
        let mut checked = 0;
        for signal in SIGNALS {
            for pace in PACES {
                check(self, Ftp::log_in(self.server.address()), signal, pace);
                checked += 1;
            }
        }
        assert_eq!(checked, 8);
    }
}

/// The peer's end of a transfer under way.
struct Peer {
    /// Where it pauses.
    data: Option<TcpStream>,
    /// Where it goes on.
    worker: Option<JoinHandle<()>>,
    moved_bytes: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Peer {
    /// Reads on, or does not.
    fn reads(mut data: TcpStream, pace: Pace) -> Self {
        Self::new(data.try_clone().ok().filter(|_| pace == Pace::Pauses), pace, move |moved, _| {
            let mut buffer = vec![0; 256 * 1024];
            while let Ok(bytes @ 1..) = data.read(&mut buffer) {
                moved.fetch_add(bytes as u64, Ordering::SeqCst);
            }
        })
    }

    /// Sends `SENT_BYTES`, and goes on until it is over or does not.
    fn sends(mut data: TcpStream, pace: Pace) -> Self {
        data.write_all(&vec![b'x'; SENT_BYTES]).expect("the server takes it");
        Self::new(data.try_clone().ok().filter(|_| pace == Pace::Pauses), pace, move |moved, is_over| {
            let piece = vec![b'x'; SENT_BYTES];
            while !is_over.load(Ordering::SeqCst) && data.write_all(&piece).is_ok() {
                moved.fetch_add(SENT_BYTES as u64, Ordering::SeqCst);
            }
        })
    }

    fn new(data: Option<TcpStream>, pace: Pace, work: impl FnOnce(&AtomicU64, &AtomicBool) + Send + 'static) -> Self {
        let (moved_bytes, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let worker = (pace == Pace::GoesOn).then(|| {
            let (moved_bytes, is_over) = (Arc::clone(&moved_bytes), Arc::clone(&is_over));
            thread::spawn(move || work(&moved_bytes, &is_over))
        });
        if pace == Pace::GoesOn {
            wait_until("bytes to move", || moved_bytes.load(Ordering::SeqCst) > 0);
        }
        Self { data, worker, moved_bytes, is_over }
    }

    /// Closes the data connection in order, or reads it to its end; how many bytes it was in all.
    fn ends(self, reads: bool) -> u64 {
        self.is_over.store(true, Ordering::SeqCst);
        let left = match self.data {
            Some(mut data) if reads => std::io::copy(&mut data, &mut std::io::sink()).expect("the server sends all"),
            _ => 0,
        };
        if let Some(worker) = self.worker {
            worker.join().expect("it does not panic");
        }
        left + self.moved_bytes.load(Ordering::SeqCst)
    }
}

fn say(ftp: &mut Ftp, line: &str, signal: Signal) {
    match signal {
        Signal::Line => {}
        Signal::Telnet => ftp.send(b"\xff\xf4\xff\xf2"),
        Signal::UrgentMark => {
            ftp.send(b"\xff\xf4\xff");
            ftp.send_urgent(b"\xf2");
        }
        Signal::UrgentIac => {
            ftp.send_urgent(b"\xff\xf4\xff");
            ftp.send(b"\xf2");
        }
    }
    ftp.say(line);
}

fn begin(ftp: &mut Ftp, command: &str) -> TcpStream {
    let data = ftp.data();
    data.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    assert_eq!(ftp.ask(command).code, 150, "{command}");
    data
}

/// The bytes that a status tells of.
fn progress(status: &Reply) -> Option<u64> {
    assert_eq!(status.code, 211, "{status:?}");
    let line = status.lines.iter().find_map(|line| line.strip_suffix(" bytes so far"))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Whether the session goes on as if nothing had been.
fn goes_on(ftp: &mut Ftp, root: &Path) {
    std::fs::write(root.join("small"), "small").expect("there is room");
    assert_eq!(ftp.retrieve("small"), b"small");
    assert_eq!(ftp.ask("ABOR").code, 226);
}

fn abor_of_a_download(driver: Driver) {
    Rig::new(driver).each(|rig, mut ftp, signal, pace| {
        let peer = Peer::reads(begin(&mut ftp, "RETR endless"), pace);
        say(&mut ftp, "ABOR", signal);
        let codes = [ftp.reply().code, ftp.reply().code];
        assert_eq!(codes, [426, 226], "{signal:?} {pace:?}");
        // What was on its way may still be read, and then the end.
        peer.ends(true);
        goes_on(&mut ftp, rig.root.path());
    });
}

fn abor_of_an_upload(driver: Driver) {
    Rig::new(driver).each(|rig, mut ftp, signal, pace| {
        let name = format!("{signal:?}-{pace:?}");
        let peer = Peer::sends(begin(&mut ftp, &format!("STOR {name}")), pace);
        say(&mut ftp, "ABOR", signal);
        let codes = [ftp.reply().code, ftp.reply().code];
        assert_eq!(codes, [426, 226], "{signal:?} {pace:?}");
        peer.ends(false);
        assert!(!rig.path(&name).exists(), "nothing half-written shows");
        goes_on(&mut ftp, rig.root.path());
    });
}

fn stat_of_a_download(driver: Driver) {
    Rig::new(driver).each(|rig, mut ftp, signal, pace| {
        let peer = Peer::reads(begin(&mut ftp, "RETR large"), pace);
        // A peer that pauses hears the same number again once the kernels hold all that they can.
        let mut told = [0; 2];
        wait_until("a status that tells how far it is", || {
            say(&mut ftp, "STAT", signal);
            let status = ftp.reply();
            match progress(&status) {
                Some(bytes) => told = [told[1], bytes],
                // It was at its end before the question came, and has said so behind the answer.
                None => assert_eq!(pace, Pace::GoesOn, "{status:?}"),
            }
            (told[0] > 0 && (pace == Pace::GoesOn || told[0] == told[1])) || progress(&status).is_none()
        });
        assert!(told[0] <= told[1] && told[1] <= LARGE_BYTES, "{told:?}");
        assert_eq!(peer.ends(true), LARGE_BYTES, "{signal:?} {pace:?}");
        assert_eq!(ftp.reply().code, 226);
        goes_on(&mut ftp, rig.root.path());
    });
}

fn stat_of_an_upload(driver: Driver) {
    Rig::new(driver).each(|rig, mut ftp, signal, pace| {
        let name = format!("{signal:?}-{pace:?}");
        let peer = Peer::sends(begin(&mut ftp, &format!("STOR {name}")), pace);
        let mut told = 0;
        wait_until("a status that tells all that was sent", || {
            say(&mut ftp, "STAT", signal);
            told = progress(&ftp.reply()).expect("it runs");
            told >= SENT_BYTES as u64
        });
        if pace == Pace::Pauses {
            assert_eq!(told, SENT_BYTES as u64);
        }
        let sent_bytes = SENT_BYTES as u64 + peer.ends(false);
        assert_eq!(ftp.reply().code, 226, "{signal:?} {pace:?}");
        assert_eq!(rig.path(&name).metadata().expect("it was stored").len(), sent_bytes);
        goes_on(&mut ftp, rig.root.path());
    });
}

fn quit_during_a_download(driver: Driver) {
    Rig::new(driver).each(|_, mut ftp, signal, pace| {
        let peer = Peer::reads(begin(&mut ftp, "RETR large"), pace);
        say(&mut ftp, "QUIT", signal);
        assert_eq!(peer.ends(true), LARGE_BYTES, "{signal:?} {pace:?}");
        assert_eq!([ftp.reply().code, ftp.reply().code], [226, 221]);
        assert!(ftp.is_closed());
    });
}

fn quit_during_an_upload(driver: Driver) {
    Rig::new(driver).each(|rig, mut ftp, signal, pace| {
        let name = format!("{signal:?}-{pace:?}");
        let peer = Peer::sends(begin(&mut ftp, &format!("STOR {name}")), pace);
        say(&mut ftp, "QUIT", signal);
        let sent_bytes = SENT_BYTES as u64 + peer.ends(false);
        assert_eq!([ftp.reply().code, ftp.reply().code], [226, 221], "{signal:?} {pace:?}");
        assert!(ftp.is_closed());
        assert_eq!(rig.path(&name).metadata().expect("it was stored").len(), sent_bytes);
    });
}

fn abor_without_a_transfer(driver: Driver) {
    Rig::new(driver).each(|rig, mut ftp, signal, pace| {
        say(&mut ftp, "ABOR", signal);
        assert_eq!(ftp.reply().code, 226, "{signal:?}: nothing runs");
        // A data connection stands open, or could be made, and that is all.
        let reply = match pace {
            Pace::Pauses => {
                let mut data = ftp.data();
                say(&mut ftp, "ABOR", signal);
                let reply = ftp.reply();
                assert!(matches!(data.read(&mut [0]), Ok(0) | Err(_)), "it is closed");
                reply
            }
            Pace::GoesOn => {
                assert_eq!(ftp.ask("EPSV").code, 229);
                say(&mut ftp, "ABOR", signal);
                ftp.reply()
            }
        };
        assert_eq!(reply.code, 225, "{signal:?}");
        goes_on(&mut ftp, rig.root.path());
    });
}

fn abor_of_a_listing(driver: Driver) {
    let rig = Rig::new(driver);
    // More than the kernels hold on the way.
    let names = rig.path("names");
    std::fs::create_dir(&names).expect("there is room");
    for number in 0..30_000 {
        File::create(names.join(format!("{number:0200}"))).expect("there is room");
    }
    rig.each(|rig, mut ftp, signal, pace| {
        let data = begin(&mut ftp, "LIST names");
        let peer = Peer::reads(data, pace);
        say(&mut ftp, "ABOR", signal);
        let codes = [ftp.reply().code, ftp.reply().code];
        // A peer that goes on may have read all before the ABOR came.
        assert!(codes == [426, 226] || (pace == Pace::GoesOn && codes == [226, 226]), "{signal:?} {pace:?}: {codes:?}");
        peer.ends(true);
        goes_on(&mut ftp, rig.root.path());
    });
}

mayfly_tests::with_each_driver! {
    abor_of_a_download abor_of_an_upload abor_of_a_listing abor_without_a_transfer
    stat_of_a_download stat_of_an_upload
    quit_during_a_download quit_during_an_upload
}
