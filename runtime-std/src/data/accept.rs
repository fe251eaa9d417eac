//! Waiting for the client's data connection among whoever else connects.

use crate::net;
use crate::proxy::{Caller, Expected, HeaderReader, NoHeader};
use mayfly_core::error::NetError;
use rustix::event::{PollFd, PollFlags};
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener, TcpStream};
use tracing::warn;

/// A passive data connection that has not come yet.
#[derive(Debug)]
pub(super) struct Acceptance {
    expected: Expected,
    /// A proxy's connection, whose header has not come yet.
    proxied: Option<Proxied>,
}

#[derive(Debug)]
struct Proxied {
    stream: TcpStream,
    from: IpAddr,
    header: HeaderReader,
}

impl Acceptance {
    pub(super) fn new(expected: Expected) -> Self {
        Self { expected, proxied: None }
    }

    /// What to wait for before the next [`Acceptance::step`].
    pub(super) fn interest<'a>(&'a self, listener: Option<&'a TcpListener>) -> Option<PollFd<'a>> {
        match &self.proxied {
            Some(Proxied { stream, .. }) => Some(PollFd::new(stream, PollFlags::IN)),
            None => listener.map(|listener| PollFd::new(listener, PollFlags::IN)),
        }
    }

    /// The client's connection, set up, or why there will be none; nothing while it is waited for. Strangers' are closed.
    pub(super) fn step(&mut self, listener: Option<&TcpListener>) -> Option<Result<TcpStream, NetError>> {
        loop {
            if let Some(Proxied { stream, from, mut header }) = self.proxied.take() {
                match header.step(&stream) {
                    Ok(ends) if self.expected.admits_header(from, ends) => return Some(Ok(stream)),
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.proxied = Some(Proxied { stream, from, header });
                        return None;
                    }
                    Err(error) => {
                        let error = NoHeader::from(error);
                        warn!(proxy = %from, %error, "a data connection of a proxy was closed");
                    }
                }
            }
            match listener.map(TcpListener::accept) {
                Some(Ok((stream, from))) => match self.expected.judge(from.ip()) {
                    Caller::Client if net::admit_data(&stream, from, from.ip()) => return Some(Ok(stream)),
                    Caller::Proxy if net::admit_data(&stream, from, from.ip()) => {
                        self.proxied = Some(Proxied { stream, from: from.ip(), header: HeaderReader::default() });
                    }
                    // The peer's may still come.
                    Caller::Client | Caller::Proxy | Caller::Stranger => {}
                },
                Some(Err(error)) if net::is_exhausted(&error) => return Some(Err(NetError::Failed)),
                // Nobody is there, or who was has gone.
                Some(Err(_)) => return None,
                None => return Some(Err(NetError::Failed)),
            }
        }
    }
}
