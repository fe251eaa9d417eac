//! The server: its listeners, its accept loop, and how it ends.

use crate::clock::Clock;
use crate::settings::ServeOptions;
use crate::start::{Serve, ServeHandle, StartError};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// An FTP server that drives each session in a thread of its own.
pub struct Server {
    handle: ServerHandle,
}

impl Serve for Server {
    type Handle = ServerHandle;

    fn bind(options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        todo!("{options:?} {:?}", clock.now())
    }

    fn local_addresses(&self) -> Vec<SocketAddr> {
        todo!()
    }

    fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    fn run(self) -> io::Result<()> {
        todo!()
    }
}

/// A running [`Server`]'s reins.
#[derive(Clone, Debug)]
pub struct ServerHandle;

impl ServeHandle for ServerHandle {
    fn shut_down(&self) {
        todo!()
    }

    fn reload(&self, options: &ServeOptions) {
        todo!("{options:?}")
    }
}
