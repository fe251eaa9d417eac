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
//! What breaks goes on by itself, over a new connection where need be; what does not help is a [`Failure`], whose
//! [`FailureKind`] tells programs and whose text tells people what happened.

mod calls;
pub(crate) mod command;
mod control;
mod data;
pub mod driver;
pub mod interest;
mod limit;
mod netrc;
mod options;
mod password;
mod place;
mod progress;
pub(crate) mod remote;
mod show;
mod sink;
mod source;
mod transfer;

pub use calls::Calls;
pub use driver::{Interrupter, Sight, Watcher};
pub use limit::{Rate, RateLimit};
pub use mayfly_core::client::call::ClientSettings;
pub use mayfly_core::client::failure::{Failure, FailureKind};
pub use mayfly_core::client::summary::{FileDone, PathExpiry, Uploaded, Viewed};
pub use options::{ClientOptions, Server};
pub use show::exit_of;
pub use sink::Destination;
pub use source::Source;

use driver::{Driver, Step};
use mayfly_core::client::call::{Call, DownloadOrder, UploadOrder};
use mayfly_core::client::summary::Summary;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io;

/// A blocking FTP client. See the [module](self).
pub struct Client {
    driver: Driver,
}

impl Client {
    /// A client that is not connected yet.
    ///
    /// # Errors
    /// The system's: no descriptor is left.
    pub fn new(options: ClientOptions) -> io::Result<Self> {
        Ok(Self { driver: Driver::new(options)? })
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
