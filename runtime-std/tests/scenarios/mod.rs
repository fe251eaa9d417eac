//! What every client does with every server, for each runtime's tests to run on its own. A proxy between the two lets
//! the control connection be cut at a chosen byte of a transfer.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod trees;

pub(crate) use trees::{
    a_limit_holds_for_all_together, a_tree_comes_back_as_it_went, a_tree_whose_connections_are_cut_goes_on,
    an_upload_goes_on_in_a_later_session, what_fails_costs_no_other_file,
};

use mayfly_std::client::{Calls, ClientOptions, ClientSettings, Destination, FailureKind, Interrupter, PathExpiry};
use mayfly_std::client::{Server as Remote, Sight, Source};
use mayfly_std::clock::{Clock as _, SystemClock};
use mayfly_std::settings::ServeOptions;
use mayfly_std::start::{Serve, ServeHandle as _};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, UNIX_EPOCH};

/// 2001-09-09T01:46:40Z.
const MODIFIED_S: u64 = 1_000_000_000;
const BIG_BYTES: usize = 24 * 1024 * 1024 + 17;
/// Where a transfer is cut: in its midst, beyond what socket buffers hold.
const CUT_BYTES: u64 = 8 * 1024 * 1024;

/// Files go up and come down again as they were, with their times, both ways of data connection.
pub(crate) fn files_come_back_as_they_went<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let files = bench.files(&[("empty", 0), ("1 GiB is too long for this.bin", 3_000_001), ("ü ä\" '.txt", 3)]);
    for active in [false, true] {
        let mut client = bench.client::<C>(active, None);
        let path = format!("scans {active}");
        let uploaded = client.upload(&files, &path, Some("7d")).unwrap();
        assert_eq!(uploaded.storage_path, format!("/{path}"));
        let PathExpiry::At { utc_s } = uploaded.expiry else { panic!("{:?}", uploaded.expiry) };
        let due_s = SystemClock.now().utc_s + 7 * 24 * 3600;
        assert!((due_s - 60..=due_s).contains(&utc_s), "{utc_s} is not about {due_s}");
        assert_eq!(client.view(&path).unwrap().entries.len(), 3);
        let to = bench.dir.path().join(format!("out {active}"));
        let done = client.download(&[], &path, &Destination::Directory(to.clone())).unwrap();
        assert_eq!(done.len(), 3);
        client.quit().unwrap();
        bench.assert_same(&to);
    }
}

/// Each refusal has its kind.
pub(crate) fn refusals_have_their_kinds<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let files = bench.files(&[("a", 10), ("b", 10)]);
    let to = Destination::Directory(bench.dir.path().join("out"));
    let mut client = bench.client::<C>(false, None);
    client.upload(&files[..1], "scans", None).unwrap();
    let kind = |outcome: Result<(), mayfly_std::client::Failure>| outcome.unwrap_err().kind;
    assert_eq!(kind(client.upload(&files, "scans", None).map(drop)), FailureKind::PathExists);
    assert_eq!(kind(client.upload(&files, "dated", Some("1960-01-01")).map(drop)), FailureKind::ExpiryRefused);
    client.upload(&files, "dated", Some("now")).unwrap_err();
    assert_eq!(kind(client.view("dated").map(drop)), FailureKind::PathExpired);
    assert_eq!(kind(client.download(&[], "dated", &to).map(drop)), FailureKind::PathExpired);
    assert_eq!(kind(client.view("nowhere").map(drop)), FailureKind::NoSuchPath);
    assert_eq!(kind(client.download(&["nothing"], "scans", &to).map(drop)), FailureKind::NoSuchPath);
    let partial = client.download(&["nothing", "a"], "scans", &to).unwrap_err();
    assert_eq!((partial.kind, partial.done.len()), (FailureKind::Partial, 1));
    // What is there already, of that size and time, is passed over.
    assert_eq!(client.add(&files, "scans", None).unwrap().files.len(), 2);
    // Nothing is made that would stay for ever by mistake.
    assert_eq!(kind(client.add(&files, "dated", None).map(drop)), FailureKind::PathExpired);
    assert_eq!(kind(client.add(&files, "nowhere", None).map(drop)), FailureKind::NoSuchPath);
    assert_eq!(kind(client.view("nowhere").map(drop)), FailureKind::NoSuchPath);
    for path in ["dated", "nowhere"] {
        let PathExpiry::At { utc_s } = client.add(&files, path, Some("7d")).unwrap().expiry else { panic!("{path}") };
        // A path that lives keeps its date.
        assert_eq!(client.add(&files, path, Some("1d")).unwrap().expiry, PathExpiry::At { utc_s });
    }
    client.quit().unwrap();
    let unheard = C::open(ClientOptions::default()).unwrap().connect(&Remote { port: 1, ..bench.remote() });
    assert_eq!(kind(unheard.map(drop)), FailureKind::CannotConnect);
}

/// An upload whose connection is cut goes on where the server's part ends.
pub(crate) fn a_cut_upload_goes_on<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    let files = bench.files(&[("big", BIG_BYTES)]);
    let seen = Arc::new(Seen::new(Harm::Cut(Arc::clone(&bench.proxy))));
    let mut client = bench.client::<C>(false, Some(&seen));
    assert_eq!(client.upload(&files, "scans", None).unwrap().files[0].size_bytes, BIG_BYTES as u64);
    client.quit().unwrap();
    let sent = seen.sent.lock().unwrap().clone();
    assert_eq!(sent.iter().filter(|line| line.as_str() == "STOR big").count(), 2, "{sent:?}");
    assert!(sent.contains(&"SITE CLAIM scans <secret>".to_owned()), "{sent:?}");
    assert!(resumed_at(&sent) > 0, "{sent:?}");
    let to = bench.dir.path().join("out");
    bench.client::<C>(false, None).download(&[], "scans", &Destination::Directory(to.clone())).unwrap();
    bench.assert_same(&to);
}

/// A download whose connection is cut goes on where it stands, also in a later run.
pub(crate) fn a_cut_download_goes_on<S: Serve + Send + 'static, C: Calls>() {
    let bench = Bench::<S>::start();
    bench.client::<C>(false, None).upload(&bench.files(&[("big", BIG_BYTES)]), "scans", None).unwrap();
    let to = bench.dir.path().join("out");
    let destination = Destination::Directory(to.clone());
    let seen = Arc::new(Seen::new(Harm::Cut(Arc::clone(&bench.proxy))));
    bench.client::<C>(false, Some(&seen)).download(&[], "scans", &destination).unwrap();
    assert!(resumed_at(&seen.sent.lock().unwrap()) >= CUT_BYTES);
    bench.assert_same(&to);

    fs::remove_dir_all(&to).unwrap();
    let seen = Arc::new(Seen::new(Harm::None));
    let mut client = bench.client::<C>(false, Some(&seen));
    *seen.harm.lock().unwrap() = Harm::Interrupt(client.interrupter());
    let failure = client.download(&["big"], "scans", &destination).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted);
    assert!(!to.join("big").exists(), "nothing shows under the name before it is whole");
    let seen = Arc::new(Seen::new(Harm::None));
    bench.client::<C>(false, Some(&seen)).download(&["big"], "scans", &destination).unwrap();
    assert!(resumed_at(&seen.sent.lock().unwrap()) >= CUT_BYTES);
    bench.assert_same(&to);
}

/// The offset of the last REST.
fn resumed_at(sent: &[String]) -> u64 {
    let rest = sent.iter().rev().find_map(|line| line.strip_prefix("REST "));
    rest.map_or(0, |offset| offset.parse().unwrap())
}

/// A server, a proxy before it, and a directory for files.
struct Bench<S: Serve> {
    dir: tempfile::TempDir,
    handle: S::Handle,
    running: Option<JoinHandle<io::Result<()>>>,
    proxy: Arc<Proxy>,
}

impl<S: Serve + Send + 'static> Bench<S> {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listen = vec![(Ipv4Addr::LOCALHOST, 0).into()];
        let options = ServeOptions { listen, root: dir.path().join("root"), ..ServeOptions::default() };
        let server = S::bind(&options, Arc::new(SystemClock)).unwrap();
        let (handle, address) = (server.handle(), server.local_addresses()[0]);
        let running = Some(thread::spawn(move || server.run()));
        Self { dir, handle, running, proxy: Proxy::start(address) }
    }

    fn remote(&self) -> Remote {
        Remote { port: self.proxy.address.port(), ..Remote::anonymous("127.0.0.1") }
    }

    fn client<C: Calls>(&self, active: bool, seen: Option<&Arc<Seen>>) -> C {
        // The server needs a moment to notice that a connection was cut, and to keep what came over it.
        let settings = ClientSettings { active, back_off_ms: 300, ..ClientSettings::default() };
        let seen = seen.cloned();
        let watch = seen.map(|seen| Box::new(move |sight: Sight<'_>| seen.see(sight)) as mayfly_std::client::Watcher);
        let mut client = C::open(ClientOptions { settings, watch, ..ClientOptions::default() }).unwrap();
        client.connect(&self.remote()).unwrap();
        client
    }

    fn files(&self, files: &[(&str, usize)]) -> Vec<Source> {
        let dir = self.dir.path().join("in");
        fs::create_dir_all(&dir).unwrap();
        let make = |&(name, bytes): &(&str, usize)| {
            let path: PathBuf = dir.join(name);
            let content: Vec<u8> =
                (0u32..).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).take(bytes).collect();
            fs::write(&path, content).unwrap();
            let modified = UNIX_EPOCH + Duration::from_secs(MODIFIED_S);
            fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
            Source::file(path).unwrap()
        };
        files.iter().map(make).collect()
    }

    #[track_caller]
    fn assert_same(&self, to: &Path) {
        let names = |dir: &Path| {
            let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let from = self.dir.path().join("in");
        assert_eq!(names(to), names(&from));
        for name in names(to) {
            assert!(
                fs::read(from.join(&name)).unwrap() == fs::read(to.join(&name)).unwrap(),
                "{} differs",
                name.display()
            );
            assert_eq!(
                fs::metadata(to.join(&name)).unwrap().mtime(),
                i64::try_from(MODIFIED_S).unwrap(),
                "{}",
                name.display()
            );
        }
    }
}

impl<S: Serve> Drop for Bench<S> {
    fn drop(&mut self) {
        self.proxy.cut();
        self.handle.shut_down();
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// What a client showed, and the harm that is done once a transfer is in its midst.
struct Seen {
    sent: Mutex<Vec<String>>,
    harm: Mutex<Harm>,
}

enum Harm {
    None,
    Cut(Arc<Proxy>),
    Interrupt(Interrupter),
}

impl Seen {
    fn new(harm: Harm) -> Self {
        Self { sent: Mutex::default(), harm: Mutex::new(harm) }
    }

    fn see(&self, sight: Sight<'_>) {
        match sight {
            Sight::Sent(line) => self.sent.lock().unwrap().push(line.to_owned()),
            Sight::Moved { wire_bytes } if wire_bytes >= CUT_BYTES => {
                match std::mem::replace(&mut *self.harm.lock().unwrap(), Harm::None) {
                    Harm::None => {}
                    Harm::Cut(proxy) => proxy.cut(),
                    Harm::Interrupt(interrupter) => interrupter.interrupt(),
                }
            }
            _ => {}
        }
    }
}

/// Passes control connections on, until they are cut.
struct Proxy {
    address: SocketAddr,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    fn start(server: SocketAddr) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Arc::new(Self { address: listener.local_addr().unwrap(), open: Mutex::default() });
        let at_work = Arc::clone(&proxy);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                at_work.open.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        proxy
    }

    /// Ends every connection; those to come are passed on again.
    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
