//! Signals to a serving process: SIGTERM and SIGINT stop it in order, a second one at once; SIGHUP has it read its
//! settings again, and open its logs anew as SIGUSR1 does.

use crate::log;
use crate::settings::ServeOptions;
use crate::start::ServeHandle;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::{io, thread};
use tracing::{error, info};

/// Watches for signals from now on, in a thread of its own. `reload` reads the settings again; its error is logged, and
/// the settings in force stay.
///
/// # Errors
/// The system's.
pub fn watch<H, E>(handle: H, reload: impl Fn() -> Result<ServeOptions, E> + Send + 'static) -> io::Result<()>
where
    H: ServeHandle,
    E: std::fmt::Display,
{
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])?;
    let mut stopping = false;
    let heed = move || {
        for signal in signals.forever() {
            if matches!(signal, SIGHUP | SIGUSR1) {
                log::reopen();
            }
            match signal {
                SIGUSR1 => {}
                SIGHUP => match reload() {
                    Ok(options) => {
                        handle.reload(&options);
                        info!("settings read again; they hold for new sessions");
                    }
                    Err(error) => {
                        // A line of the log is one line.
                        let why = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
                        error!("the settings in force stay: {why}");
                    }
                },
                again if stopping => {
                    // Whoever asks twice does not want to wait; where this fails, the orderly way still goes on.
                    let _ = signal_hook::low_level::emulate_default_handler(again);
                }
                _ => {
                    stopping = true;
                    info!("shutting down");
                    handle.shut_down();
                }
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(heed).map(drop)
}
