//! What the clients' commands have in common: their flags, the signals, and the client that they call.

use super::super::limit::{Rate, RateLimit};
use super::super::progress::Progress;
use super::super::remote::Remote;
use super::super::tree::JOBS_MAX;
use super::super::{Calls, ClientOptions, ClientSettings, Failure, FailureKind, Interrupter, Tls};
use super::account::{self, NetrcArgs};
use super::secure::SecureArgs;
use super::{misused, value};
use crate::exit::Exit;
use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;
use std::{io, thread};

/// What all three commands take.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Let the server connect to this host for data (PORT, EPRT) instead of the other way round
    #[arg(long)]
    active: bool,
    /// Print the result as one JSON object; an upload's holds the secret token that proves who made the path
    #[arg(long)]
    pub(super) json: bool,
    /// Show the dialogue on standard error, passwords hidden
    #[arg(short, long)]
    verbose: bool,
    /// How often to try again what breaks, without any headway in between [default: 5]; where it is given, also a server
    /// that cannot be reached to begin with
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// The longest pause between two tries; the first is half a second, and each further one twice as long
    #[arg(long, value_name = "TIME", value_parser = value::pause, default_value = "30s")]
    retry_delay: Duration,
    /// How long to wait for a connection, a reply, or a byte to move
    #[arg(long, value_name = "TIME", value_parser = value::timeout, default_value = "60s")]
    timeout: Duration,
    /// Move no more than so many bytes a second in all: 500, 64k, 1.5M, 2G
    #[arg(long, value_name = "RATE")]
    limit_rate: Option<Rate>,
    #[command(flatten)]
    secure: SecureArgs,
    #[command(flatten)]
    netrc: NetrcArgs,
}

/// How many connections move files.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// How many files to move at a time, each over a connection of its own: 1 to 16
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(JOBS_MAX)))]
    jobs: u32,
}

impl Jobs {
    pub(super) fn number(&self) -> u32 {
        self.jobs
    }
}

/// Connects, has `call` done, which shows its progress, and quits.
pub(super) fn with_client<C: Calls, T>(
    url: &Remote,
    common: &Common,
    jobs: u32,
    call: impl FnOnce(&mut C, &Progress) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_progress(url, common, &common.progress(jobs), call)
}

/// The same, shown by a progress of the caller's own.
pub(super) fn with_progress<C: Calls, T>(
    url: &Remote,
    common: &Common,
    progress: &Progress,
    call: impl FnOnce(&mut C, &Progress) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let local = |error: io::Error| Failure::new(FailureKind::Local, format!("cannot begin: {error}"));
    let options = ClientOptions { tls: common.secure.setup(url.tls)?, ..common.options(progress) };
    let mut client = C::open(options).map_err(local)?;
    let interrupter = client.interrupter();
    heed_signals(interrupter.clone()).map_err(local)?;
    let server = account::server(url, &common.netrc, &interrupter)?;
    if !account::is_anonymous(&server.user) {
        progress.is_of_named_user();
    }
    client.connect(&server)?;
    let outcome = call(&mut client, progress)?;
    // The work is done; how the farewell goes changes nothing.
    let _ = client.quit();
    Ok(outcome)
}

impl Common {
    /// The URL, secured as the flags say.
    ///
    /// # Errors
    /// The command's end: they contradict each other.
    pub(super) fn secured(&self, url: &Remote) -> Result<Remote, Exit> {
        let secured = url.secured(self.secure.tls.map(Tls::from));
        let remote = secured.map_err(|error| misused(&error.to_string(), "leave --tls out"))?;
        if self.secure.are_idle(remote.tls) {
            let hint = "say --tls explicit, or write ftps:// for a port that begins with TLS";
            return Err(misused("without TLS there is no certificate to check or to show", hint));
        }
        Ok(remote)
    }

    /// What shows how so many connections get on.
    pub(super) fn progress(&self, jobs: u32) -> Progress {
        Progress::new(self.verbose, jobs)
    }

    fn options(&self, progress: &Progress) -> ClientOptions {
        ClientOptions {
            settings: self.settings(),
            watch: Some(progress.watcher(1)),
            limit: self.limit_rate.map(RateLimit::new),
            ..ClientOptions::default()
        }
    }

    fn settings(&self) -> ClientSettings {
        let Self { active, retries, timeout, retry_delay, .. } = *self;
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let timeout_ms = ms(timeout).max(1);
        let defaults = ClientSettings::default();
        ClientSettings {
            active,
            retries_max: retries.unwrap_or(defaults.retries_max),
            retry_first: retries.is_some(),
            back_off_ms: defaults.back_off_ms.min(ms(retry_delay)),
            back_off_ms_max: ms(retry_delay),
            connect_ms_max: timeout_ms.min(defaults.connect_ms_max),
            reply_ms_max: timeout_ms,
            stall_ms_max: timeout_ms,
            completion_ms_max: timeout_ms.max(defaults.completion_ms_max),
        }
    }
}

/// Stops in order at the first signal, and at once at the second.
pub(crate) fn heed_signals(interrupter: Interrupter) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let heed = move || {
        let mut heard = false;
        for signal in signals.forever() {
            if heard {
                // Where this fails, the orderly way still goes on.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            heard = true;
            interrupter.interrupt();
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(heed).map(drop)
}
