//! The command line, the same for each binary: a runtime is all that tells them apart.

use crate::check::check_config;
use crate::client::Calls;
use crate::client::command::{self as client, DownloadArgs, ExtendArgs, RevokeArgs, UploadArgs, ViewArgs};
use crate::client::remote;
use crate::clock::SystemClock;
use crate::complain::complain;
use crate::exit::{self, Exit};
use crate::log::LogOptions;
use crate::operator::{FsckArgs, PathsArgs, SweepArgs};
use crate::settings::{self, Given, ServeOptions, SettingsError};
use crate::start::Serve;
use crate::tls::make::{self, CertArgs};
use crate::users::command::{self as users, UserArgs};
use crate::{commands, log, operator, signals};
use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tracing::{error, info};

/// What drives servers and clients in one of the binaries.
pub trait Runtime {
    /// The binary's name.
    const NAME: &'static str;
    /// Its server.
    type Server: Serve;
    /// Its client.
    type Client: Calls;
}

/// An FTP server and client whose storage paths expire.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    #[command(long_about = SERVE_HELP)]
    Serve(Box<ServeArgs>),
    /// Check the settings, users and certificates that `serve` would start with, and print what is in force
    #[command(long_about = CHECK_HELP)]
    CheckConfig(Box<ServeArgs>),
    /// Make a path on a server, date it, and put files into it; prints the URL to hand on
    Upload(UploadArgs),
    /// Fetch files; what broke off goes on where it stopped
    Download(DownloadArgs),
    /// List a path
    View(ViewArgs),
    /// Give a path another date: who made it proves so by its token, or by name
    Extend(ExtendArgs),
    /// Take a path back: it expires now, with all that is in it
    Revoke(RevokeArgs),
    /// Make a self-signed certificate and its key, for servers that have none of an authority
    Cert(CertArgs),
    /// Change or list the named users of a users file
    User(UserArgs),
    /// List the storage paths beneath a root, or change one's date; beside a running server too
    Paths(PathsArgs),
    /// Take away what has expired, once, as a running server does by itself
    Sweep(SweepArgs),
    /// Look for what is not as it should be beneath a root: records that cannot be read, and what was left behind
    Fsck(FsckArgs),
    /// Print every FTP command that the server knows, where it is specified and what it answers
    #[command(after_help = COMMANDS_HELP)]
    Commands,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// TOML file with settings; read again on SIGHUP, for new sessions
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

/// Runs what the command line asks for, on the runtime `R`.
#[must_use]
pub fn main<R: Runtime>() -> ExitCode {
    let (command, flags) = command::<R>();
    let exit = match command {
        Command::Serve(args) => serve::<R>(*args),
        Command::CheckConfig(args) => check_config(&flags, &args.given, args.config.as_deref()),
        Command::Upload(args) => client::upload::<R::Client>(R::NAME, &args),
        Command::Download(args) => client::download::<R::Client>(&args),
        Command::View(args) => client::view::<R::Client>(&args),
        Command::Extend(args) => client::extend::<R::Client>(&args),
        Command::Revoke(args) => client::revoke::<R::Client>(&args),
        Command::Cert(args) => make::certificate(&args),
        Command::User(args) => users::user(&args),
        Command::Paths(args) => operator::paths(&args),
        Command::Sweep(args) => operator::sweep(&args),
        Command::Fsck(args) => operator::fsck(&args),
        Command::Commands => print_commands(),
    };
    exit.into()
}

/// What the command line asks for, and the flags of that command as they were written.
fn command<R: Runtime>() -> (Command, ArgMatches) {
    let definition = Cli::command().name(R::NAME).bin_name(R::NAME).after_help(examples(R::NAME));
    let definition = definition.after_long_help(format!("{}\n{}", examples(R::NAME), exit::help()));
    let matches = definition.try_get_matches().unwrap_or_else(|error| without_password(error).exit());
    let command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    let flags = matches.subcommand().map(|(_, flags)| flags.clone());
    (command, flags.unwrap_or_default())
}

/// The same without the password of a URL that could not be read.
fn without_password(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg] {
        if let Some(ContextValue::String(value)) = error.get(kind) {
            let shown = remote::without_password(value);
            error.insert(kind, ContextValue::String(shown));
        }
    }
    error
}

fn examples(name: &str) -> String {
    let serve = "serve --listen 127.0.0.1:2121 --root ./storage";
    let upload = "upload 1.png 2.png ftp://127.0.0.1:2121/scans --expires 7d";
    let view = "view ftp://127.0.0.1:2121/scans";
    let download = "download ftp://127.0.0.1:2121/scans --to ./fetched";
    format!("Examples:\n  {name} {serve}\n  {name} {upload}\n  {name} {view}\n  {name} {download}\n")
}

fn serve<R: Runtime>(args: ServeArgs) -> Exit {
    let (options, log) = match settings::read(&args.given, args.config.as_deref()) {
        Ok(read) => read,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    if let Err(error) = log::start(&log) {
        complain(&error);
        return Exit::CannotServe;
    }
    let server = match R::Server::bind(&options, Arc::new(SystemClock)) {
        Ok(server) => server,
        Err(error) => {
            complain(&error);
            return Exit::CannotServe;
        }
    };
    let begun = signals::watch(server.handle(), move || reread(&args, &options, &log)).and_then(|()| {
        for address in server.local_addresses() {
            info!(%address, "listening");
        }
        server.run()
    });
    match begun {
        Ok(()) => {
            info!("shut down");
            Exit::Done
        }
        Err(error) => {
            error!(%error, "the server cannot go on");
            Exit::CannotServe
        }
    }
}

fn print_commands() -> Exit {
    match io::stdout().write_all(commands::text().as_bytes()) {
        // Whoever reads a few lines and goes has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&error);
            Exit::LocalFile
        }
        _ => Exit::Done,
    }
}

fn reread(args: &ServeArgs, started_with: &ServeOptions, log: &LogOptions) -> Result<ServeOptions, SettingsError> {
    let (options, new_log) = settings::read(&args.given, args.config.as_deref())?;
    let changed = changed(&options, started_with).chain(changed_log(&new_log, log)).collect::<Vec<_>>().join(", ");
    if !changed.is_empty() {
        tracing::warn!(%changed, "what was changed there needs a restart");
    }
    Ok(options)
}

/// What of these options holds from the start on.
fn changed(new: &ServeOptions, old: &ServeOptions) -> impl Iterator<Item = &'static str> {
    let mut names = vec![
        ("listen", new.listen != old.listen),
        ("listen_tls", new.listen_tls != old.listen_tls),
        ("dual_stack", new.dual_stack != old.dual_stack),
        ("root", new.root != old.root),
        ("durability", new.durability != old.durability),
        ("shutdown_timeout", new.shutdown_ms_max != old.shutdown_ms_max),
        ("file_mode", new.file_mode != old.file_mode),
        ("directory_mode", new.directory_mode != old.directory_mode),
    ];
    if let (Some(new), Some(old)) = (&new.confinement, &old.confinement) {
        names.extend([
            ("user", new.user != old.user),
            ("landlock", new.landlock != old.landlock),
            ("seccomp", new.seccomp != old.seccomp),
            ("umask", new.umask != old.umask),
            ("core_dumps", new.core_dumps != old.core_dumps),
            ("names of users and certificate files", new.reads != old.reads),
        ]);
    }
    names.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name))
}

/// The same of the log.
fn changed_log(new: &LogOptions, old: &LogOptions) -> impl Iterator<Item = &'static str> {
    let names = [
        ("log_format", new.format != old.format),
        ("log_level", new.level != old.level),
        ("log_file", new.file != old.file),
        ("xferlog", new.xferlog != old.xferlog),
    ];
    names.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name))
}

const COMMANDS_HELP: &str = "\
Beside the replies shown, any command may get 421 (the server goes down, or time is up), 450 (dropped by ABOR, or busy), 500 and 501 (not the \
command's form), and one that needs a login 530.";

const CHECK_HELP: &str = "\
Check the settings, users and certificates that `serve` would start with, and print what is in force

Takes the flags of `serve`. Standard output is a settings file that comes to the same: each setting with what it means and \
where it comes from (default, flag, or line of the file), and before them what hostile sessions may cost at most. What is \
wrong is said with its file and line, and the exit code is 2.";

const SERVE_HELP: &str = "\
Run the server

Anonymous clients may upload; each path that they make may be given a date, from which on it is gone.

Each setting may stand in a TOML file too, under its flag's name with underscores: --idle-timeout 90s is the line \
idle_timeout = \"90s\". A flag outranks the file.";
