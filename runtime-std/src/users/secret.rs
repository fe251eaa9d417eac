//! A new password: asked for on the terminal, twice and without showing it, or read from standard input. Never an
//! argument, for every user of the host may see those.

use crate::client::command::heed_signals;
use crate::client::driver::Interrupter;
use crate::client::password;
use std::fmt;
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _};
use zeroize::Zeroizing;

/// Why there is no password.
#[derive(Debug)]
pub(super) enum NoPassword {
    /// The two that were typed differ.
    Differ,
    /// It is none.
    Unfit(&'static str),
    /// The user wants to stop.
    Interrupted,
    /// There is neither terminal nor input.
    Unreadable(io::Error),
}

/// Gets a new password for that user.
pub(super) fn new_password(name: &str) -> Result<Zeroizing<String>, NoPassword> {
    let password = if io::stdin().is_terminal() { ask_twice(name)? } else { read_line()? };
    fit(&password)?;
    Ok(password)
}

fn ask_twice(name: &str) -> Result<Zeroizing<String>, NoPassword> {
    let interrupter = Interrupter::new().map_err(NoPassword::Unreadable)?;
    heed_signals(interrupter.clone()).map_err(NoPassword::Unreadable)?;
    let ask = |prompt: &str| match password::ask(prompt, &interrupter) {
        Ok(password) => Ok(Zeroizing::new(password)),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(NoPassword::Interrupted),
        Err(error) => Err(NoPassword::Unreadable(error)),
    };
    let password = ask(&format!("New password of {name}"))?;
    fit(&password)?;
    if *ask("The same again")? == *password { Ok(password) } else { Err(NoPassword::Differ) }
}

fn read_line() -> Result<Zeroizing<String>, NoPassword> {
    let mut line = Zeroizing::new(String::with_capacity(PASSWORD_BYTES_MAX + 2));
    let mut input = io::Read::take(io::stdin().lock(), PASSWORD_BYTES_MAX as u64 + 2);
    input.read_line(&mut line).map_err(NoPassword::Unreadable)?;
    let bytes = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(bytes);
    Ok(line)
}

/// A client sends it on a line.
fn fit(password: &str) -> Result<(), NoPassword> {
    match password {
        "" => Err(NoPassword::Unfit("the password is empty")),
        _ if password.len() > PASSWORD_BYTES_MAX => Err(NoPassword::Unfit("the password has more than 1024 bytes")),
        _ if password.contains(char::is_control) => Err(NoPassword::Unfit("the password holds a control character")),
        _ => Ok(()),
    }
}

impl fmt::Display for NoPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differ => f.write_str("the two passwords differ; nothing is changed"),
            Self::Unfit(why) => {
                write!(f, "{why}\nhint: type it where it is asked for, or pipe it in: its first line counts")
            }
            Self::Interrupted => f.write_str("interrupted; nothing is changed"),
            Self::Unreadable(error) => write!(f, "no password can be read: {error}"),
        }
    }
}

const PASSWORD_BYTES_MAX: usize = 1024;
