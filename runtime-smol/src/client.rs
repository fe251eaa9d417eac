//! The client as a library: the five calls, async. [`mayfly_std::client`] has the same, blocking, and what both share.
//!
//! ```no_run
//! use mayfly_smol::client::Client;
//! use mayfly_std::client::{ClientOptions, Destination, LocalTree, Server, Source, TreeOptions};
//!
//! smol::block_on(async {
//!     let mut client = Client::new(ClientOptions::default())?;
//!     client.connect(&Server::anonymous("ftp.example.org")).await?;
//!     client.upload(&[Source::file("1.png")?], "scans", Some("7d")).await?;
//!     client.download(&[], "scans", &Destination::Directory("fetched".into())).await?;
//!     // Whole trees, four files at a time: each job is a task of its own.
//!     let four = TreeOptions { jobs: 4, ..TreeOptions::default() };
//!     client.upload_tree(&LocalTree::read(&["photos"])?, "photos", Some("7d"), &four).await?;
//!     client.download_tree(&[], "photos", "fetched".as_ref(), &four).await?;
//!     client.quit().await?;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use async_io::{Async, Timer, block_on};
use futures_lite::future::poll_fn;
use mayfly_core::client::call::{Call, Connect, ListOrder, RedateOrder, UploadOrder};
use mayfly_core::client::summary::Summary;
use mayfly_std::client::driver::{Driver, Step};
use mayfly_std::client::interest::Interest;
use mayfly_std::client::tree::{DownloadTree, Queue, UploadTree};
use mayfly_std::client::{
    Calls, ClientOptions, Destination, Failure, FailureKind, FileDone, Interrupter, Listed, LocalTree, NOW, PathExpiry,
    Server, Source, Token, TreeFailure, TreeOptions, TreeReport, Uploaded, Viewed, download_order, unexpected,
    upload_order,
};
use smol::{LocalExecutor, Task, unblock};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An async FTP client. See the [module](self).
///
/// A call that is dropped before it is done ends the client: its next call is [`FailureKind::Interrupted`].
pub struct Client {
    /// None while a call carries it.
    driver: Option<Driver>,
    /// The one that it is connected to.
    server: Option<Server>,
    interrupter: Interrupter,
}

impl Client {
    /// A client that is not connected yet.
    ///
    /// # Errors
    /// The system's: no descriptor is left.
    pub fn new(options: ClientOptions) -> io::Result<Self> {
        let driver = Driver::new(options)?;
        Ok(Self::of(driver, None))
    }

    fn of(driver: Driver, server: Option<Server>) -> Self {
        Self { interrupter: driver.interrupter(), driver: Some(driver), server }
    }

    /// What ends its calls from another task or thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// See [`mayfly_std::client::Client::connect`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn connect(&mut self, server: &Server) -> Result<String, Failure> {
        self.server = Some(server.clone());
        match self.call(Call::Connect(server.clone().into()), &[], None).await? {
            Summary::Connected { welcome } => Ok(welcome),
            other => Err(unexpected(&other)),
        }
    }

    /// See [`mayfly_std::client::Client::upload`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn upload(
        &mut self,
        files: &[Source],
        storage_path: &str,
        expiry_date: Option<&str>,
    ) -> Result<Uploaded, Failure> {
        self.send(files, upload_order(files, storage_path, expiry_date, false)).await
    }

    /// See [`mayfly_std::client::Client::add`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn add(
        &mut self,
        files: &[Source],
        storage_path: &str,
        expiry_date: Option<&str>,
    ) -> Result<Uploaded, Failure> {
        self.send(files, upload_order(files, storage_path, expiry_date, true)).await
    }

    /// See [`mayfly_std::client::Client::download`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn download(
        &mut self,
        files: &[&str],
        storage_path: &str,
        to: &Destination,
    ) -> Result<Vec<FileDone>, Failure> {
        match self.call(Call::Download(download_order(files, storage_path)), &[], Some(to)).await? {
            Summary::Downloaded { files } => Ok(files),
            other => Err(unexpected(&other)),
        }
    }

    /// See [`mayfly_std::client::Client::view`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn view(&mut self, storage_path: &str) -> Result<Viewed, Failure> {
        match self.call(Call::View { storage_path: storage_path.to_owned() }, &[], None).await? {
            Summary::Viewed(viewed) => Ok(viewed),
            other => Err(unexpected(&other)),
        }
    }

    /// See [`mayfly_std::client::Client::list`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn list(&mut self, path: &str, recursive: bool) -> Result<Listed, Failure> {
        match self.call(Call::List(ListOrder { path: path.to_owned(), recursive }), &[], None).await? {
            Summary::Listed(listed) => Ok(listed),
            other => Err(unexpected(&other)),
        }
    }

    /// See [`mayfly_std::client::Client::extend`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn extend(
        &mut self,
        storage_path: &str,
        expiry_date: &str,
        token: Option<Token>,
    ) -> Result<PathExpiry, Failure> {
        let order = RedateOrder { storage_path: storage_path.to_owned(), expiry_date: expiry_date.to_owned(), token };
        match self.call(Call::Redate(order), &[], None).await? {
            Summary::Dated { expiry, .. } => Ok(expiry),
            other => Err(unexpected(&other)),
        }
    }

    /// See [`mayfly_std::client::Client::revoke`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn revoke(&mut self, storage_path: &str, token: Option<Token>) -> Result<(), Failure> {
        self.extend(storage_path, NOW, token).await.map(drop)
    }

    /// See [`mayfly_std::client::Client::upload_tree`].
    ///
    /// # Errors
    /// [`TreeFailure`]
    pub async fn upload_tree(
        &mut self,
        tree: &LocalTree,
        storage_path: &str,
        expiry_date: Option<&str>,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        let mut tree = UploadTree::new(tree, storage_path, expiry_date, options);
        let opening = self.call(tree.opening(), &[], None).await;
        let queue = tree.opened(opening)?;
        self.work_through(&queue, options).await;
        tree.conclude(queue)
    }

    /// See [`mayfly_std::client::Client::download_tree`].
    ///
    /// # Errors
    /// [`TreeFailure`]
    pub async fn download_tree(
        &mut self,
        names: &[&str],
        storage_path: &str,
        to: &Path,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        let mut tree = DownloadTree::new(names, storage_path, to, options);
        let opening = self.call(tree.opening(), &[], None).await;
        // Directories are made, and in the end dated: a matter for the pool of blocking threads.
        let (tree, queue) = unblock(move || {
            let queue = tree.opened(opening);
            (tree, queue)
        })
        .await;
        let queue = queue?;
        self.work_through(&queue, options).await;
        unblock(move || tree.conclude(queue)).await
    }

    /// See [`mayfly_std::client::Client::quit`].
    ///
    /// # Errors
    /// [`FailureKind::Interrupted`] alone.
    pub async fn quit(mut self) -> Result<(), Failure> {
        self.call(Call::Quit, &[], None).await.map(drop)
    }

    async fn send(&mut self, files: &[Source], order: UploadOrder) -> Result<Uploaded, Failure> {
        match self.call(Call::Upload(order), files, None).await? {
            Summary::Uploaded(uploaded) => Ok(uploaded),
            other => Err(unexpected(&other)),
        }
    }

    /// Has each job take its shares, this client's own connection being the first.
    async fn work_through(&mut self, queue: &Queue, options: &TreeOptions) {
        // Tasks of its own, which a call that is dropped takes along.
        let jobs = LocalExecutor::new();
        let mates: Vec<Task<()>> = (2..=queue.jobs())
            .filter_map(|job| Some(Self::of(self.driver.as_ref()?.mate(options.watcher(job)), self.server.clone())))
            .map(|mate| jobs.spawn(mate.join(queue)))
            .collect();
        let work = async {
            let fit = self.work(queue).await;
            for mate in mates {
                mate.await;
            }
            fit
        };
        if jobs.run(work).await {
            // What a job has given back after this one was through.
            self.work(queue).await;
        }
    }

    /// The life of a further job.
    async fn join(mut self, queue: &Queue) {
        let Some(server) = self.server.clone() else { return };
        let connect = Connect { once: true, ..server.into() };
        if let Err(failure) = self.call(Call::Connect(connect), &[], None).await {
            return queue.give_up(failure);
        }
        self.work(queue).await;
        // The work is done; how the farewell goes changes nothing.
        let _ = self.quit().await;
    }

    /// Takes shares until there are none; whether the connection is fit for more.
    async fn work(&mut self, queue: &Queue) -> bool {
        while let Some(share) = queue.take() {
            let outcome = self.call(share.call(), share.sources(), queue.destination()).await;
            if !queue.settle(share, outcome) {
                return false;
            }
        }
        true
    }

    async fn call(
        &mut self,
        call: Call,
        sources: &[Source],
        destination: Option<&Destination>,
    ) -> Result<Summary, Failure> {
        let dropped = || Failure::new(FailureKind::Interrupted, "a call before was dropped half-way");
        let mut driver = self.driver.take().ok_or_else(dropped)?;
        driver.begin(call, sources, destination);
        loop {
            // A step reads and writes local files and looks up names: a matter for the pool of blocking threads.
            let step;
            (driver, step) = unblock(move || {
                let step = driver.step();
                (driver, step)
            })
            .await;
            match step {
                Step::GoOn => {}
                Step::Wait => wait(&driver).await,
                Step::Finished(outcome) => {
                    self.driver = Some(driver);
                    return outcome;
                }
            }
        }
    }
}

/// Waits until the driver can go on.
async fn wait(driver: &Driver) {
    let mut timer = driver.wait_for().map_or_else(Timer::never, Timer::after);
    let interests: Vec<(Interest<'_>, Option<Async<BorrowedFd<'_>>>)> = driver
        .interests()
        // What the reactor does not take (/dev/null) never has to be waited for.
        .map(|interest| (interest, Async::new_nonblocking(interest.fd).ok()))
        .collect();
    poll_fn(|cx| {
        let timed_out = Pin::new(&mut timer).poll(cx).is_ready();
        // Each is asked, for each must wake this task.
        let ready = interests.iter().filter(|(interest, fd)| is_ready(*interest, fd.as_ref(), cx)).count() > 0;
        if timed_out || ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn is_ready(interest: Interest<'_>, fd: Option<&Async<BorrowedFd<'_>>>, cx: &mut Context<'_>) -> bool {
    fd.is_none_or(|fd| {
        let readable = interest.readable && fd.poll_readable(cx).is_ready();
        let writable = interest.writable && fd.poll_writable(cx).is_ready();
        readable || writable
    })
}

/// For the command line, whose calls block.
impl Calls for Client {
    fn open(options: ClientOptions) -> io::Result<Self> {
        Self::new(options)
    }

    fn interrupter(&self) -> Interrupter {
        self.interrupter()
    }

    fn connect(&mut self, server: &Server) -> Result<String, Failure> {
        block_on(self.connect(server))
    }

    fn upload(&mut self, files: &[Source], path: &str, expiry_date: Option<&str>) -> Result<Uploaded, Failure> {
        block_on(self.upload(files, path, expiry_date))
    }

    fn add(&mut self, files: &[Source], path: &str, expiry_date: Option<&str>) -> Result<Uploaded, Failure> {
        block_on(self.add(files, path, expiry_date))
    }

    fn download(&mut self, files: &[&str], path: &str, to: &Destination) -> Result<Vec<FileDone>, Failure> {
        block_on(self.download(files, path, to))
    }

    fn view(&mut self, path: &str) -> Result<Viewed, Failure> {
        block_on(self.view(path))
    }

    fn list(&mut self, path: &str, recursive: bool) -> Result<Listed, Failure> {
        block_on(self.list(path, recursive))
    }

    fn extend(&mut self, path: &str, expiry_date: &str, token: Option<Token>) -> Result<PathExpiry, Failure> {
        block_on(self.extend(path, expiry_date, token))
    }

    fn revoke(&mut self, path: &str, token: Option<Token>) -> Result<(), Failure> {
        block_on(self.revoke(path, token))
    }

    fn upload_tree(
        &mut self,
        tree: &LocalTree,
        path: &str,
        expiry_date: Option<&str>,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        block_on(self.upload_tree(tree, path, expiry_date, options))
    }

    fn download_tree(
        &mut self,
        names: &[&str],
        path: &str,
        to: &Path,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        block_on(self.download_tree(names, path, to, options))
    }

    fn quit(self) -> Result<(), Failure> {
        block_on(self.quit())
    }
}
