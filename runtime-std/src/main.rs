//! mayfly on threads: `mayfly-std --help` tells the rest.

use mayfly_std::cli::{self, Runtime};
use mayfly_std::client::Client;
use mayfly_std::listen::Server;
use std::process::ExitCode;

struct Threads;

impl Runtime for Threads {
    const NAME: &'static str = "mayfly-std";
    type Server = Server;
    type Client = Client;
}

fn main() -> ExitCode {
    cli::main::<Threads>()
}
