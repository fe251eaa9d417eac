//! The calls as the command line and the tests see them, whatever drives them.

use super::{Client, ClientOptions, Destination, Failure, FileDone, Interrupter, Listed, LocalTree, Server, Source};
use super::{PathExpiry, Token, TreeFailure, TreeOptions, TreeReport, Uploaded, Viewed};
use std::io;
use std::path::Path;

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

    /// See [`Client::list`].
    ///
    /// # Errors
    /// [`Failure`]
    fn list(&mut self, path: &str, recursive: bool) -> Result<Listed, Failure>;

    /// See [`Client::extend`].
    ///
    /// # Errors
    /// [`Failure`]
    fn extend(&mut self, path: &str, expiry_date: &str, token: Option<Token>) -> Result<PathExpiry, Failure>;

    /// See [`Client::revoke`].
    ///
    /// # Errors
    /// [`Failure`]
    fn revoke(&mut self, path: &str, token: Option<Token>) -> Result<(), Failure>;

    /// See [`Client::upload_tree`].
    ///
    /// # Errors
    /// [`TreeFailure`]
    fn upload_tree(
        &mut self,
        tree: &LocalTree,
        path: &str,
        expiry_date: Option<&str>,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>>;

    /// See [`Client::download_tree`].
    ///
    /// # Errors
    /// [`TreeFailure`]
    fn download_tree(
        &mut self,
        names: &[&str],
        path: &str,
        to: &Path,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>>;

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

    fn list(&mut self, path: &str, recursive: bool) -> Result<Listed, Failure> {
        self.list(path, recursive)
    }

    fn extend(&mut self, path: &str, expiry_date: &str, token: Option<Token>) -> Result<PathExpiry, Failure> {
        self.extend(path, expiry_date, token)
    }

    fn revoke(&mut self, path: &str, token: Option<Token>) -> Result<(), Failure> {
        self.revoke(path, token)
    }

    fn upload_tree(
        &mut self,
        tree: &LocalTree,
        path: &str,
        expiry_date: Option<&str>,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        self.upload_tree(tree, path, expiry_date, options)
    }

    fn download_tree(
        &mut self,
        names: &[&str],
        path: &str,
        to: &Path,
        options: &TreeOptions,
    ) -> Result<TreeReport, Box<TreeFailure>> {
        self.download_tree(names, path, to, options)
    }

    fn quit(self) -> Result<(), Failure> {
        self.quit()
    }
}
