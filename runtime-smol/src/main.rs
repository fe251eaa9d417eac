//! mayfly on smol: `mayfly-smol --help` tells the rest.

use mayfly_smol::Server;
use mayfly_smol::client::Client;
use mayfly_std::cli::{self, Runtime};
use std::process::ExitCode;

struct Smol;

impl Runtime for Smol {
    const NAME: &'static str = "mayfly-smol";
    type Server = Server;
    type Client = Client;
}

fn main() -> ExitCode {
    cli::main::<Smol>()
}
