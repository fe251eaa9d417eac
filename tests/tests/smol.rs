//! Plays every transcript on the smol driver, over real sockets.

use mayfly_smol::Server;
use mayfly_tests::harness;
use mayfly_tests::stage::net::NetStage;
use mayfly_tests::transcript::player;
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(
        "smol",
        |script| !script.setup.core_only,
        |script| player::play(script, Box::new(NetStage::<Server>::new(&script.setup)?)),
    )
}
