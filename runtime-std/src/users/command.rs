//! The command `user`: add, passwd, list, remove.

use super::edit::{Edit, EditError};
use super::hash::Hash;
use super::secret::{NoPassword, new_password};
use super::values::{Addresses, Allowed, Home, MaybeCount, MaybeSize, Rate, Subject};
use super::{NAME_FORM, User, Users, is_name};
use crate::complain::complain;
use crate::exit::Exit;
use crate::settings::{self, Form, Lifetime, SettingsError, Value};
use clap::{Args, Subcommand};
use mayfly_core::user::{self, Quota};
use serde_json::json;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Of `user`.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a user; the password is asked for, or is the first line of standard input
    Add(Box<AddArgs>),
    /// Give a user another password; it is asked for, or is the first line of standard input
    Passwd(NameArgs),
    /// List the users, without their hashes
    List(ListArgs),
    /// Remove a user; what they stored stays
    Remove(NameArgs),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct FileArgs {
    /// The users file; made if missing
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// The settings file that names the users file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct NameArgs {
    /// The user's name
    #[arg(value_parser = name)]
    name: String,
    #[command(flatten)]
    file: FileArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    file: FileArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AddArgs {
    #[command(flatten)]
    of: NameArgs,
    /// Where the session begins, as a path beneath the server's root, %u standing for the name; what lies outside is as if it were not there [default: /]
    #[arg(long, value_name = "PATH", value_parser = given::<Home>)]
    home: Option<String>,
    /// Whether what lies outside the home is as if it were not there [default: true where the home is not /]
    #[arg(long, value_name = "BOOL", value_parser = given::<bool>)]
    confined: Option<String>,
    /// A list of list, read, write, overwrite, delete, rename, expiry; or all, or none [default: all]
    #[arg(long, value_name = "RIGHTS", value_parser = given::<Allowed>)]
    rights: Option<String>,
    /// How many bytes all files in the home may have, such as 10GiB [default: none]
    #[arg(long, value_name = "BYTES", value_parser = given::<MaybeSize>)]
    quota_bytes: Option<String>,
    /// How many files there may be in the home [default: none]
    #[arg(long, value_name = "N", value_parser = given::<MaybeCount>)]
    quota_files: Option<String>,
    /// The most bytes that a session uploads in a second, such as 1MiB [default: none]
    #[arg(long, value_name = "BYTES", value_parser = given::<Rate>)]
    upload_rate: Option<String>,
    /// The most bytes that a session downloads in a second, such as 1MiB [default: none]
    #[arg(long, value_name = "BYTES", value_parser = given::<Rate>)]
    download_rate: Option<String>,
    /// The networks that the user may come from, a list such as `10.0.0.0/8,2001:db8::/32` [default: any]
    #[arg(long, value_name = "NETWORKS", value_parser = given::<Addresses>)]
    addresses: Option<String>,
    /// How long a new top-level path lives that is given no date [default: as the server's setting]
    #[arg(long, value_name = "DURATION", value_parser = given::<Lifetime>)]
    default_expiry: Option<String>,
    /// The furthest date that may be set, from now [default: as the server's setting]
    #[arg(long, value_name = "DURATION", value_parser = given::<Lifetime>)]
    max_expiry: Option<String>,
    /// Whether uploads go only into paths that expire [default: as the server's setting]
    #[arg(long, value_name = "BOOL", value_parser = given::<bool>)]
    require_expiry: Option<String>,
    /// The subject of a client certificate that logs in without a password
    #[arg(long, value_name = "SUBJECT", value_parser = given::<Subject>)]
    certificate: Option<String>,
    /// Give no password: the certificate alone logs in
    #[arg(long, requires = "certificate")]
    no_password: bool,
    /// The user may not log in yet
    #[arg(long)]
    disabled: bool,
}

/// Carries the command out.
pub(crate) fn user(args: &UserArgs) -> Exit {
    let done = match &args.command {
        Command::Add(args) => add(args),
        Command::Passwd(args) => passwd(args),
        Command::List(args) => list(args),
        Command::Remove(args) => remove(args),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(failure) => {
            complain(&failure);
            failure.exit()
        }
    }
}

fn add(args: &AddArgs) -> Result<(), Failure> {
    let NameArgs { name, file } = &args.of;
    // Nobody is asked for a password that nobody needs.
    if Edit::begin(&file.path()?)?.users().find(name).is_some() {
        return Err(Failure::Exists(name.clone()));
    }
    let hash = if args.no_password { None } else { Some(new_hash(name)?) };
    let mut edit = Edit::begin(&file.path()?)?;
    if edit.users().find(name).is_some() {
        return Err(Failure::Exists(name.clone()));
    }
    edit.set(name, &args.settings(hash.as_ref()));
    edit.save()?;
    say(&format_args!("{name} is added; a running server knows at its next SIGHUP"));
    Ok(())
}

fn passwd(args: &NameArgs) -> Result<(), Failure> {
    let known = |edit: &Edit| match edit.users().find(&args.name) {
        Some(_) => Ok(()),
        None => Err(Failure::Missing(args.name.clone())),
    };
    known(&Edit::begin(&args.file.path()?)?)?;
    let hash = new_hash(&args.name)?;
    let mut edit = Edit::begin(&args.file.path()?)?;
    known(&edit)?;
    edit.set(&args.name, &[("password", hash.to_string())]);
    edit.save()?;
    say(&format_args!("{} has another password; a running server knows at its next SIGHUP", args.name));
    Ok(())
}

fn remove(args: &NameArgs) -> Result<(), Failure> {
    let mut edit = Edit::begin(&args.file.path()?)?;
    if edit.users().find(&args.name).is_none() {
        return Err(Failure::Missing(args.name.clone()));
    }
    edit.remove(&args.name);
    edit.save()?;
    say(&format_args!(
        "{} is removed; what they stored stays, and a running server knows at its next SIGHUP",
        args.name
    ));
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let users = Users::open(&args.file.path()?)?;
    let text = if args.json { as_json(&users) } else { as_table(&users) };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads a few lines and goes has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

fn new_hash(name: &str) -> Result<Hash, Failure> {
    let password = new_password(name)?;
    if password.chars().count() < SHORT {
        say(&format_args!("note: a password of fewer than {SHORT} characters is easily guessed"));
    }
    Hash::new(password.as_bytes()).map_err(|error| Failure::Hash(error.to_string()))
}

impl FileArgs {
    fn path(&self) -> Result<PathBuf, Failure> {
        match (&self.users, &self.config) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(config)) => settings::users_file(config)?.ok_or(Failure::NoFile),
            (None, None) => Err(Failure::NoFile),
        }
    }
}

impl AddArgs {
    /// What stands in the new table.
    fn settings(&self, hash: Option<&Hash>) -> Vec<(&'static str, String)> {
        let disabled = self.disabled.then(|| "true".to_owned());
        let all = [
            ("password", hash.map(Hash::to_string)),
            ("home", self.home.clone()),
            ("confined", self.confined.clone()),
            ("rights", self.rights.clone()),
            ("quota_bytes", self.quota_bytes.clone()),
            ("quota_files", self.quota_files.clone()),
            ("upload_rate", self.upload_rate.clone()),
            ("download_rate", self.download_rate.clone()),
            ("addresses", self.addresses.clone()),
            ("default_expiry", self.default_expiry.clone()),
            ("max_expiry", self.max_expiry.clone()),
            ("require_expiry", self.require_expiry.clone()),
            ("certificate", self.certificate.clone()),
            ("disabled", disabled),
        ];
        all.into_iter().filter_map(|(key, text)| Some((key, text?))).collect()
    }
}

fn as_table(users: &Users) -> String {
    let mut rows = vec![["NAME", "HOME", "RIGHTS", "LOGS IN BY"].map(str::to_owned)];
    rows.extend(users.iter().map(|user| {
        let account = &user.account;
        let home = if account.confined { account.home.to_string() } else { format!("{} (not confined)", account.home) };
        [account.name.clone(), home, account.rights.to_string(), logs_in_by(user).to_owned()]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    rows.iter().fold(String::new(), |mut text, [name, home, rights, by]| {
        let [name_width, home_width, rights_width] = widths;
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name:name_width$}  {home:home_width$}  {rights:rights_width$}  {by}");
        text
    })
}

fn logs_in_by(user: &User) -> &'static str {
    match (&user.password, &user.certificate) {
        _ if user.disabled => "nothing: disabled",
        (Some(_), Some(_)) => "password, certificate",
        (Some(_), None) => "password",
        (None, _) => "certificate",
    }
}

fn as_json(users: &Users) -> String {
    let lifetime = |lifetime: Option<user::Lifetime>| match lifetime {
        None => json!(null),
        Some(user::Lifetime::Unbounded) => json!("none"),
        Some(user::Lifetime::Seconds(seconds)) => json!(seconds),
    };
    let all: Vec<serde_json::Value> = users
        .iter()
        .map(|user| {
            let account = &user.account;
            let quota = account.quota.unwrap_or_default();
            let Quota { bytes, files, .. } = quota;
            json!({
                "name": account.name,
                "home": account.home.as_str(),
                "confined": account.confined,
                "rights": account.rights.to_string(),
                "quota_bytes": bytes,
                "quota_files": files,
                "upload_bytes_per_s": account.upload_bytes_per_s,
                "download_bytes_per_s": account.download_bytes_per_s,
                "addresses": user.addresses.as_ref().map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "default_expiry_s": lifetime(account.expiry.default),
                "max_expiry_s": lifetime(account.expiry.max),
                "require_expiry": account.expiry.required,
                "has_password": user.password.is_some(),
                "certificate": user.certificate,
                "disabled": user.disabled,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::from(all))
}

/// A name, or why it is none.
fn name(text: &str) -> Result<String, &'static str> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(NAME_FORM) }
}

/// A value as it was given, once it is known to be right.
fn given<T: Form>(text: &str) -> Result<String, String> {
    text.parse::<Value<T>>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn say(what: &dyn fmt::Display) {
    // Where standard error is closed, nobody listens.
    let _ = writeln!(io::stderr(), "{what}");
}

/// Why it is not done.
enum Failure {
    NoFile,
    Exists(String),
    Missing(String),
    Settings(SettingsError),
    Edit(EditError),
    Password(NoPassword),
    Hash(String),
    Output(io::Error),
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::NoFile | Self::Password(NoPassword::Differ | NoPassword::Unfit(_)) => Exit::Usage,
            Self::Exists(_) | Self::Missing(_) => Exit::Refused,
            Self::Password(NoPassword::Interrupted) => Exit::Interrupted,
            Self::Settings(error) | Self::Edit(EditError::Wrong(error)) => match error {
                SettingsError::UsersUnreadable { .. } | SettingsError::Unreadable { .. } => Exit::LocalFile,
                _ => Exit::Usage,
            },
            Self::Edit(EditError::File { .. })
            | Self::Password(NoPassword::Unreadable(_))
            | Self::Hash(_)
            | Self::Output(_) => Exit::LocalFile,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => f.write_str("the settings file names no users file\nhint: --users FILE"),
            Self::Exists(name) => {
                write!(f, "{name} is there already\nhint: `user passwd {name}` gives another password")
            }
            Self::Missing(name) => write!(f, "there is no user {name}\nhint: `user list` tells who there is"),
            Self::Settings(error) => error.fmt(f),
            Self::Edit(error) => error.fmt(f),
            Self::Password(error) => error.fmt(f),
            Self::Hash(error) => write!(f, "the password cannot be hashed: {error}"),
            Self::Output(error) => write!(f, "the list cannot be written: {error}"),
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl From<NoPassword> for Failure {
    fn from(error: NoPassword) -> Self {
        Self::Password(error)
    }
}

/// Below so many characters a password is called short.
const SHORT: usize = 12;
