//! The five calls as the command line and the tests see them, whatever drives them.

use super::{Client, ClientOptions, Destination, Failure, FileDone, Interrupter, Server, Source, Uploaded, Viewed};
use std::io;

/// A client whose calls block, be it by itself or by waiting for an async one.
pub trait Calls: Sized {
    /// A client that is not connected yet.
    ///
    /// # Errors
    /// The system's.
    fn open(options: ClientOptions) -> io::Result<Self>;

    /// What ends its calls from another thread.
    fn interrupter(&self) -> Interrupter;

    /// See [`Client::connect`].
    ///
    /// # Errors
    /// [`Failure`]
    fn connect(&mut self, server: &Server) -> Result<String, Failure>;

    /// See [`Client::upload`].
    ///
    /// # Errors
    /// [`Failure`]
    fn upload(&mut self, files: &[Source], path: &str, expiry_date: Option<&str>) -> Result<Uploaded, Failure>;

    /// See [`Client::add`].
    ///
    /// # Errors
    /// [`Failure`]
    fn add(&mut self, files: &[Source], path: &str, expiry_date: Option<&str>) -> Result<Uploaded, Failure>;

    /// See [`Client::download`].
    ///
    /// # Errors
    /// [`Failure`]
    fn download(&mut self, files: &[&str], path: &str, to: &Destination) -> Result<Vec<FileDone>, Failure>;

    /// See [`Client::view`].
    ///
    /// # Errors
    /// [`Failure`]
    fn view(&mut self, path: &str) -> Result<Viewed, Failure>;

    /// See [`Client::quit`].
    ///
    /// # Errors
    /// [`Failure`]
    fn quit(self) -> Result<(), Failure>;
}

impl Calls for Client {
    fn open(options: ClientOptions) -> io::Result<Self> {
        Self::new(options)
    }

    fn interrupter(&self) -> Interrupter {
        self.interrupter()
    }

    fn connect(&mut self, server: &Server) -> Result<String, Failure> {
        self.connect(server)
    }

    fn upload(&mut self, files: &[Source], path: &str, expiry_date: Option<&str>) -> Result<Uploaded, Failure> {
        self.upload(files, path, expiry_date)
    }

    fn add(&mut self, files: &[Source], path: &str, expiry_date: Option<&str>) -> Result<Uploaded, Failure> {
        self.add(files, path, expiry_date)
    }

    fn download(&mut self, files: &[&str], path: &str, to: &Destination) -> Result<Vec<FileDone>, Failure> {
        self.download(files, path, to)
    }

    fn view(&mut self, path: &str) -> Result<Viewed, Failure> {
        self.view(path)
    }

    fn quit(self) -> Result<(), Failure> {
        self.quit()
    }
}
