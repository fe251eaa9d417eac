//! `check-config`: reads all that a start would read, as the user that it would become too, says what is wrong with it, and
//! prints what is in force.

mod ceilings;

use crate::complain::{complain, warn};
use crate::confine;
use crate::exit::Exit;
use crate::settings::{self, Given};
use crate::tls::TlsServer;
use ceilings::Ceilings;
use clap::ArgMatches;
use std::io::{self, Write as _};
use std::path::Path;

/// Checks the settings that these flags and this file come to, the users and certificates that they name, and prints
/// them on standard output, in TOML that serves as a settings file, and the bounds that follow from them.
pub(crate) fn check_config(flags: &ArgMatches, given: &Given, config: Option<&Path>) -> Exit {
    // Reads the users file and the certificates too, as a start does.
    let read = settings::read(given, config).and_then(|(options, _)| {
        let shown = settings::show(flags, given, config)?;
        Ok((shown, options))
    });
    let (shown, options) = match read {
        Ok(read) => read,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    for warning in options.tls.iter().flat_map(TlsServer::warnings) {
        warn(&warning);
    }
    let ceilings = Ceilings::of(&options);
    if let Some(Err(error)) = options.confinement.as_ref().map(confine::rehearse) {
        complain(&error);
        return Exit::Usage;
    }
    match io::stdout().write_all(format!("{ceilings}{shown}").as_bytes()) {
        // Whoever reads a few lines and goes has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&error);
            Exit::LocalFile
        }
        _ => Exit::Done,
    }
}
