//! The client as a library: the five calls, blocking. `mayfly_smol::client` has the same, async.
//!
//! ```no_run
//! use mayfly_std::client::{Client, ClientOptions, Destination, Server, Source};
//!
//! let mut client = Client::new(ClientOptions::default())?;
//! client.connect(&Server::anonymous("ftp.example.org"))?;
//!
//! let uploaded = client.upload(&[Source::file("1.png")?], "scans", Some("7d"))?;
//! println!("{} expires: {:?}", uploaded.storage_path, uploaded.expiry);
//!
//! for line in client.view("scans")?.listing {
//!     println!("{line}");
//! }
//! client.download(&["1.png"], "scans", &Destination::Directory("fetched".into()))?;
//! client.quit()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whole trees, several files at a time, and no faster than so many bytes a second:
//!
//! ```no_run
//! use mayfly_std::client::{Client, ClientOptions, LocalTree, RateLimit, Server, TreeOptions};
//!
//! let limit = Some(RateLimit::new("2M".parse()?));
//! let mut client = Client::new(ClientOptions { limit, ..ClientOptions::default() })?;
//! client.connect(&Server::anonymous("ftp.example.org"))?;
//! let four = TreeOptions { jobs: 4, ..TreeOptions::default() };
//! client.upload_tree(&LocalTree::read(&["photos"])?, "scans", Some("7d"), &four)?;
//! for entry in client.list("scans", true)?.entries {
//!     println!("{} {:?}", entry.name, entry.size_bytes);
//! }
//! let report = client.download_tree(&[], "scans", "fetched".as_ref(), &four)?;
//! println!("{} files", report.files.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What breaks goes on by itself, over a new connection where need be; what does not help is a [`Failure`], whose
//! [`FailureKind`] tells programs and whose text tells people what happened.

mod calls;
pub(crate) mod command;
mod control;
mod data;
pub mod driver;
mod harmless;
pub mod interest;
mod limit;
mod netrc;
mod options;
pub(crate) mod password;
mod place;
mod progress;
pub(crate) mod remote;
mod show;
mod sink;
mod source;
mod stream;
mod tls;
mod transfer;
pub mod tree;

pub use calls::Calls;
pub use driver::{Interrupter, Sight, Watcher};
pub use limit::{Rate, RateLimit};
pub use mayfly_core::client::call::{ClientSettings, Tls};
pub use mayfly_core::client::failure::{Failure, FailureKind};
pub use mayfly_core::client::listing::EntryKind;
pub use mayfly_core::client::summary::{FileDone, Listed, ListedEntry, PathExpiry, Uploaded, Viewed};
pub use mayfly_core::record::Token;
pub use options::{ClientOptions, Server};
pub use show::exit_of;
pub use sink::Destination;
pub use source::Source;
pub use tls::{ClientCertificate, TlsOptions, TlsSetup};
pub use tree::{LocalTree, TreeFailure, TreeOptions, TreeReport};

use driver::{Driver, Step};
use mayfly_core::client::call::{Call, Connect, DownloadOrder, ListOrder, RedateOrder, UploadOrder};
use mayfly_core::client::summary::Summary;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::path::Path;
use std::{io, thread};
use tree::{DownloadTree, Queue, UploadTree};

/// A blocking FTP client. See the [module](self).
pub struct Client {
    driver: Driver,
    /// The one that it is connected to.
    server: Option<Server>,
}

impl Client {
    /// A client that is not connected yet.
    ///
    /// # Errors
    /// The system's: no descriptor is left.
    pub fn new(options: ClientOptions) -> io::Result<Self> {
        Ok(Self { driver: Driver::new(options)?, server: None })
    }

    /// What ends its calls from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.driver.interrupter()
    }

    /// Connects and logs in. Returns the server's greeting.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn connect(&mut self, server: &Server) -> Result<String, Failure> {
        self.server = Some(server.clone());
        match self.call(Call::Connect(server.clone().into()), &[], None)? {
            Summary::Connected { welcome } => Ok(welcome),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes `storage_path`, sets its `expiry_date` (in a form that the server reads, such as `7d` or `2030-12-31`), and
    /// puts `files` into it.
    ///
    /// # Errors
    /// [`Failure`]; [`FailureKind::PathExists`] where the path is there already.
    pub fn upload(
        &mut self,
        files: &[Source],
        storage_path: &str,
        expiry_date: Option<&str>,
    ) -> Result<Uploaded, Failure> {
        self.send(files, upload_order(files, storage_path, expiry_date, false))
    }

    /// Adds to `storage_path`, whose date is left alone. Where there is none, or it has expired, it is made with the
    /// `expiry_date`.
    ///
    /// # Errors
    /// [`Failure`]; [`FailureKind::NoSuchPath`] or [`FailureKind::PathExpired`] where there is none to add to and no
    /// `expiry_date` is given.
    pub fn add(
        &mut self,
        files: &[Source],
        storage_path: &str,
        expiry_date: Option<&str>,
    ) -> Result<Uploaded, Failure> {
        self.send(files, upload_order(files, storage_path, expiry_date, true))
    }

    /// Fetches `files`, or all that there are where none are named, out of `storage_path`.
    ///
    /// # Errors
    /// [`Failure`]; its `done` names the files that came nevertheless.
    pub fn download(&mut self, files: &[&str], storage_path: &str, to: &Destination) -> Result<Vec<FileDone>, Failure> {
        match self.call(Call::Download(download_order(files, storage_path)), &[], Some(to))? {
            Summary::Downloaded { files } => Ok(files),
            other => Err(unexpected(&other)),
        }
    }

    /// Lists `storage_path`.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn view(&mut self, storage_path: &str) -> Result<Viewed, Failure> {
        match self.call(Call::View { storage_path: storage_path.to_owned() }, &[], None)? {
            Summary::Viewed(viewed) => Ok(viewed),
            other => Err(unexpected(&other)),
        }
    }

    /// Lists `path`, or the whole tree below it if `recursive`, and reads what the server lists.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn list(&mut self, path: &str, recursive: bool) -> Result<Listed, Failure> {
        match self.call(Call::List(ListOrder { path: path.to_owned(), recursive }), &[], None)? {
            Summary::Listed(listed) => Ok(listed),
            other => Err(unexpected(&other)),
        }
    }

    /// Gives `storage_path` another `expiry_date`, and returns when it expires now. The `token` of the upload that made the
    /// path proves who made it; a named user needs none for what is theirs.
    ///
    /// # Errors
    /// [`Failure`]; [`FailureKind::Refused`] where the token is wrong, or somebody else made the path.
    pub fn extend(
        &mut self,
        storage_path: &str,
        expiry_date: &str,
        token: Option<Token>,
    ) -> Result<PathExpiry, Failure> {
        let order = RedateOrder { storage_path: storage_path.to_owned(), expiry_date: expiry_date.to_owned(), token };
        match self.call(Call::Redate(order), &[], None)? {
            Summary::Dated { expiry, .. } => Ok(expiry),
            other => Err(unexpected(&other)),
        }
    }

    /// Takes `storage_path` back: it expires now, with all that is in it.
    ///
    /// # Errors
    /// As [`Client::extend`].
    pub fn revoke(&mut self, storage_path: &str, token: Option<Token>) -> Result<(), Failure> {
        self.extend(storage_path, NOW, token).map(drop)
    }

    /// Makes `storage_path`, sets its `expiry_date`, and puts a whole tree, or several files at a time, into it.
    ///
    /// # Errors
    /// [`TreeFailure`], which tells what came over all the same; [`FailureKind::PathExists`] where the path is there
    /// already and the options do not say to add to it.
    pub fn upload_tree(
        &mut self,
        tree: &LocalTree,
        storage_path: &str,
        expiry_date: Option<&str>,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        let mut tree = UploadTree::new(tree, storage_path, expiry_date, options);
        let opening = self.call(tree.opening(), &[], None);
        let queue = tree.opened(opening)?;
        self.work_through(&queue, options);
        tree.conclude(queue)
    }

    /// Fetches `names` (files, or directories with all in them), or all that there is where none are named, out of
    /// `storage_path` into the directory `to`. What is there already, of the same size and time, is left as it is.
    ///
    /// # Errors
    /// [`TreeFailure`], which tells what came over all the same.
    pub fn download_tree(
        &mut self,
        names: &[&str],
        storage_path: &str,
        to: &Path,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        let mut tree = DownloadTree::new(names, storage_path, to, options);
        let opening = self.call(tree.opening(), &[], None);
        let queue = tree.opened(opening)?;
        self.work_through(&queue, options);
        tree.conclude(queue)
    }

    /// Says good-bye and closes the connection.
    ///
    /// # Errors
    /// [`FailureKind::Interrupted`] alone.
    pub fn quit(mut self) -> Result<(), Failure> {
        self.call(Call::Quit, &[], None).map(drop)
    }

    fn send(&mut self, files: &[Source], order: UploadOrder) -> Result<Uploaded, Failure> {
        match self.call(Call::Upload(order), files, None)? {
            Summary::Uploaded(uploaded) => Ok(uploaded),
            other => Err(unexpected(&other)),
        }
    }

    /// Has each job take its shares, this client's own connection being the first.
    fn work_through(&mut self, queue: &Queue, options: &TreeOptions) {
        let fit = thread::scope(|scope| {
            for job in 2..=queue.jobs() {
                let mut mate = Self { driver: self.driver.mate(options.watcher(job)), server: self.server.clone() };
                let begun =
                    thread::Builder::new().name(format!("job {job}")).spawn_scoped(scope, move || mate.join(queue));
                if let Err(error) = begun {
                    queue.give_up(Failure::new(FailureKind::Local, format!("no thread for job {job}: {error}")));
                }
            }
            self.work(queue)
        });
        if fit {
            // What a job has given back after this one was through.
            self.work(queue);
        }
    }

    /// The life of a further job.
    fn join(&mut self, queue: &Queue) {
        let Some(server) = self.server.clone() else { return };
        let connect = Connect { once: true, ..server.into() };
        if let Err(failure) = self.call(Call::Connect(connect), &[], None) {
            return queue.give_up(failure);
        }
        self.work(queue);
        // The work is done; how the farewell goes changes nothing.
        let _ = self.call(Call::Quit, &[], None);
    }

    /// Takes shares until there are none; whether the connection is fit for more.
    fn work(&mut self, queue: &Queue) -> bool {
        while let Some(share) = queue.take() {
            let outcome = self.call(share.call(), share.sources(), queue.destination());
            if !queue.settle(share, outcome) {
                return false;
            }
        }
        true
    }

    fn call(&mut self, call: Call, sources: &[Source], destination: Option<&Destination>) -> Result<Summary, Failure> {
        self.driver.begin(call, sources, destination);
        loop {
            match self.driver.step() {
                Step::Finished(outcome) => return outcome,
                Step::GoOn => {}
                Step::Wait => self.wait(),
            }
        }
    }

    fn wait(&self) {
        let flags = |readable, writable| match (readable, writable) {
            (true, true) => PollFlags::IN | PollFlags::OUT,
            (false, true) => PollFlags::OUT,
            _ => PollFlags::IN,
        };
        let interests = self.driver.interests();
        let mut fds: Vec<PollFd<'_>> = interests
            .map(|interest| PollFd::from_borrowed_fd(interest.fd, flags(interest.readable, interest.writable)))
            .collect();
        let timeout = self.driver.wait_for().and_then(|wait| Timespec::try_from(wait).ok());
        // Interrupted or not, the next step looks at everything anew.
        let _ = rustix::event::poll(&mut fds, timeout.as_ref());
    }
}

/// The date that takes a path back.
pub const NOW: &str = "now";

/// What [`Client::upload`] and [`Client::add`] ask the core for.
#[must_use]
pub fn upload_order(files: &[Source], storage_path: &str, expiry_date: Option<&str>, add: bool) -> UploadOrder {
    UploadOrder {
        storage_path: storage_path.to_owned(),
        files: files.iter().map(|file| file.name().to_owned()).collect(),
        expiry_date: expiry_date.map(str::to_owned),
        add,
        ..UploadOrder::default()
    }
}

/// What [`Client::download`] asks the core for.
#[must_use]
pub fn download_order(files: &[&str], storage_path: &str) -> DownloadOrder {
    let files = files.iter().map(|&file| file.to_owned()).collect();
    DownloadOrder { storage_path: storage_path.to_owned(), files, tree: false }
}

/// A call that ended as another one would: never by the core's contract.
#[must_use]
pub fn unexpected(summary: &Summary) -> Failure {
    Failure::new(FailureKind::Protocol, format!("the call ended as another would: {summary:?}"))
}
