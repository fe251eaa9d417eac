//! Every setting: name, kind and range of its value, default, help. From this table come the flags, the names in the
//! TOML file, the help, the range tests and the defaults.

use super::confine::{ModeBits, Umask};
use super::host_names::HostNames;
use super::network::PassiveRules;
use super::preset::Preset;
use super::rate::Rate;
use super::size::{Bytes, Size, SizeBound};
use super::storage::KeepRules;
use super::tls::{ImplicitAddress, PemFile};
use super::values::{Count, Form, Lifetime, Span, Value};
use crate::confine::{UserName, Wanted};
use crate::log::LogFormat;
use crate::storage::durability::Durability;
use crate::storage::room::MinFree;
use crate::tls::{ClientCertificates, TlsVersion};
use mayfly_core::action::PortRange;
use mayfly_core::network::Network;
use mayfly_core::settings::{ActivePort, RequireTls};
use mayfly_core::user::Rights;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor, value::SeqAccessDeserializer};
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing::level_filters::LevelFilter;

/// What is said of a setting.
pub(super) struct Row {
    /// As the settings file has it.
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    /// What its value is, in one word.
    pub(super) value_name: &'static str,
    pub(super) help: &'static str,
    /// Whether it may be given several times.
    pub(super) is_repeated: bool,
}

macro_rules! settings {
    ($($name:ident: $kind:ty = $default:literal, $value_name:literal $([$($arg:tt)*])?, $help:literal;)+) => {
        #[doc = "Settings as flags or a file give them; each may be missing."]
        #[derive(Clone, Debug, Default, clap::Args, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Given {
            /// Where to listen; apart, for it may be repeated.
            #[arg(long, value_name = "ADDR", help = "Address and port to listen on, again for each further one \
                [default: port 21 of 0.0.0.0 and, where the host has IPv6, of [::]]")]
            #[serde(deserialize_with = "one_or_more")]
            pub(super) listen: Option<Vec<Value<SocketAddr>>>,
            /// Where to listen with TLS from the first byte on; apart, for it may be repeated.
            #[arg(long, value_name = "ADDR", help = "Address and port to listen on for clients that begin with TLS \
                (implicit FTPS), again for each further one; a port that is left out is 990 [default: none]")]
            #[serde(deserialize_with = "one_or_more")]
            pub(super) listen_tls: Option<Vec<Value<ImplicitAddress>>>,
            $(
                #[doc = $help]
                #[arg(
                    long,
                    value_name = $value_name,
                    allow_negative_numbers = true,
                    help = concat!($help, " [default: ", $default, "]"),
                    $($($arg)*)?
                )]
                pub(super) $name: Option<Value<$kind>>,
            )+
        }

        /// Each of them, in the order of the table.
        pub(super) const ROWS: &[Row] = &[
            Row {
                name: "listen",
                default: "",
                value_name: "ADDR",
                help: "Addresses and ports to listen on; none: port 21 of 0.0.0.0 and, where the host has IPv6, of [::]",
                is_repeated: true,
            },
            Row {
                name: "listen_tls",
                default: "",
                value_name: "ADDR",
                help: "Addresses and ports to listen on for clients that begin with TLS (implicit FTPS)",
                is_repeated: true,
            },
            $(Row {
                name: stringify!($name),
                default: $default,
                value_name: $value_name,
                help: $help,
                is_repeated: false,
            },)+
        ];

        /// The value of every setting but `listen` and `listen_tls`, whether given or by default.
        pub(super) struct Chosen {
            $(pub(super) $name: $kind,)+
        }

        impl Given {
            /// These, and where they are silent, `others`.
            pub(super) fn or(self, others: Self) -> Self {
                Self {
                    listen: self.listen.or(others.listen),
                    listen_tls: self.listen_tls.or(others.listen_tls),
                    $($name: self.$name.or(others.$name),)+
                }
            }

            /// These, and where they are silent, the defaults.
            pub(super) fn choose(self) -> Chosen {
                Chosen { $($name: self.$name.map_or_else(|| default($default), |given| given.0),)+ }
            }
        }
    };
}

settings! {
    root: PathBuf = "./storage", "DIR",
        "Directory that holds the storage, made if missing";
    anonymous_rights: Option<Rights> = "list,read,write,expiry", "RIGHTS",
        "What anonymous clients may do: a list of list, read, write, overwrite, delete, rename, expiry; or all; or none, \
         and they may not log in";
    default_expiry: Lifetime = "none", "DURATION",
        "How long a new top-level path lives that is given no date";
    max_expiry: Lifetime = "none", "DURATION",
        "The furthest date that may be set, from now";
    require_expiry: bool = "false", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Take uploads only into paths that expire, and none into the root itself, where nothing does";
    drain: Span<0, 2_592_000> = "1h", "DURATION",
        "How long a download may go on after its path expired";
    passive_ports: Option<PortRange> = "any", "FIRST-LAST",
        "Ports for passive data connections";
    passive_address: PassiveRules = "own", "ADDR",
        "What PASV says behind an address translator: an IPv4 address, a host name that is looked up again each minute, \
         own (the control connection's), or a list by client network: 10.0.0.0/8=own,0.0.0.0/0=203.0.113.5";
    active_port: ActivePort = "any", "PORT",
        "Where active data connections come from: any, or data, the port before the control connection's (20 for 21)";
    epsv_only: Vec<Network> = "none", "NETWORKS",
        "Client networks in which PASV and PORT are refused and EPSV and EPRT serve: none, or a list such as `10.0.0.0/8,::/0`";
    fxp_users: Vec<String> = "none", "USERS",
        "Users who may have data go to and come from another host than their own: a list of names";
    proxy_from: Vec<Network> = "none", "NETWORKS",
        "Proxies that say in a PROXY header (version 1 or 2) whom they connect, and must: a list of networks";
    dual_stack: bool = "false", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Have a listener on [::] take IPv4 connections too";
    max_sessions: Count<0, 1_000_000> = "2000", "N",
        "Sessions at the same time; 0: no bound";
    max_sessions_per_address: Count<0, 1_000_000> = "100", "N",
        "Sessions at the same time from one address; 0: no bound";
    login_time: Span<1, 3_600> = "1m", "DURATION",
        "Time to log in";
    login_attempts: Count<1, 100> = "5", "N",
        "Failed logins before the session ends";
    login_delay: Span<0, 60> = "500ms", "DURATION",
        "Delay of the answer to a failed login; doubles with each further one";
    login_delay_max: Span<0, 3_600> = "16s", "DURATION",
        "The longest that this delay becomes; it goes on over new connections from the address";
    allow_from: Vec<Network> = "none", "NETWORKS",
        "Networks that may connect, a list; none: all";
    deny_from: Vec<Network> = "none", "NETWORKS",
        "Networks that may not connect, a list; it outranks every other";
    trusted_from: Vec<Network> = "none", "NETWORKS",
        "Networks without any bound on an address, and without bans: a list";
    ipv6_prefix: Count<0, 128> = "64", "BITS",
        "First bits of an IPv6 address that count as one address";
    connections_per_minute: Count<0, 1_000_000> = "600", "N",
        "New connections from one address in a minute, and as many at once; 0: no bound";
    ban_after: Count<0, 100> = "20", "N",
        "Failed logins from one address within `ban_window` after which it is banned; 0: never";
    ban_window: Span<1, 604_800> = "10m", "DURATION",
        "How long a failed login counts for a ban and for `login_delay`";
    ban_time: Span<1, 2_592_000> = "10m", "DURATION",
        "How long a ban lasts; a restart ends it";
    proxy_headers_max: Count<1, 100_000> = "1024", "N",
        "Connections of proxies at the same time whose PROXY header has not come yet";
    session_time: Lifetime = "none", "DURATION",
        "The longest that a session lasts, whatever it is doing then; or none";
    line_max: Bytes<512, 8_192> = "8KiB", "BYTES",
        "The longest line of a client; of a longer one the rest is dropped";
    input_max: Bytes<16_384, 1_048_576> = "16KiB", "BYTES",
        "Input of a session that waits to be carried out; beyond it no more is read";
    input_lines_max: Count<1, 128> = "64", "N",
        "Lines of a session that wait while a transfer runs; beyond them no more is read";
    file_size_max: SizeBound = "none", "BYTES",
        "The largest file that is taken; or none";
    idle_timeout: Span<1, 604_800> = "5m", "DURATION",
        "Time without a command or transfer before the session ends";
    data_connect_timeout: Span<1, 3_600> = "30s", "DURATION",
        "Time for a data connection to be made";
    stall_timeout: Span<1, 86_400> = "2m", "DURATION",
        "Time in which a transfer moves no byte before it is broken off";
    shutdown_timeout: Span<0, 86_400> = "30s", "DURATION",
        "How long transfers may go on after the server was told to stop";
    listing_sort_max: Count<0, 1_000_000> = "10000", "N",
        "Listings of up to this many names are sorted";
    ascii_size_max: Size = "100MiB", "BYTES",
        "The largest file whose SIZE in ASCII mode is counted; every byte of it is read for that";
    chmod: bool = "true", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Let clients set permission bits of what they may overwrite (SITE CHMOD, MFF)";
    host_names: HostNames = "any", "NAMES",
        "Names that clients may choose with HOST, a list; or any";
    listing_depth_max: Count<0, 128> = "32", "N",
        "How many directories deep LIST -R goes";
    anonymous_upload_rate: Rate = "none", "BYTES",
        "The most bytes that a session of an anonymous client uploads in a second; or none";
    anonymous_download_rate: Rate = "none", "BYTES",
        "The most bytes that a session of an anonymous client downloads in a second; or none";
    durability: Durability = "data", "LEVEL",
        "What of an upload is on the disk for good when it is acknowledged: none, data (its bytes), full (its name too)";
    tls_cert: PemFile = "none", "FILE",
        "PEM file with the server's certificate and those between it and its authority; with it clients may use TLS";
    tls_key: PemFile = "none", "FILE",
        "PEM file with the private key of `tls_cert`";
    require_tls: RequireTls = "none", "WHAT",
        "What is refused without TLS: none, login, or data (logins and data connections)";
    tls_require_resumption: bool = "false", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Refuse data connections that do not resume the TLS session of their control connection, as a stranger's cannot";
    tls_require_close_notify: bool = "true", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Count an upload over TLS as broken whose end the client does not say (`close_notify`): it may have been cut";
    tls_min_version: TlsVersion = "1.2", "VERSION",
        "The oldest TLS that is spoken: 1.2 or 1.3";
    tls_client_certificates: ClientCertificates = "none", "WHAT",
        "Whether clients are asked for a certificate: none, ask (they may come without), require";
    tls_client_ca: PemFile = "none", "FILE",
        "PEM file with the certificates of the authorities that sign clients'";
    preset: Preset = "none", "WORD",
        "What anonymous clients may do, in one word: drop-box (store and date, and neither list nor read), public (list and read \
         alone), or none; anonymous_rights outranks it";
    users: Option<PathBuf> = "none", "FILE",
        "TOML file with the named users, as `user add` makes it";
    login_threads: Count<1, 64> = "2", "N",
        "Logins that are checked at the same time; each takes 19 MiB meanwhile";
    login_queue: Count<1, 10_000> = "64", "N",
        "Logins that wait to be checked; beyond that, whoever has the most waiting is told to come later";
    user: Option<UserName> = "own", "USER[:GROUP]",
        "Whom the server becomes once its ports are bound, and who owns what it stores: a name or number, alone with its \
         own groups, else with that group alone; root stays so unwarned; own: whoever starts it";
    landlock: Wanted = "auto", "WHEN",
        "Put all files but the root and what a reload reads out of reach: auto (where the kernel has landlock), require, off";
    seccomp: Wanted = "auto", "WHEN",
        "Have the kernel refuse calls that no server of files makes, exec first: auto (where it can), require, off";
    core_dumps: bool = "false", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Let the system write core dumps, which may hold secrets, and debuggers look in";
    follow_symlinks: bool = "false", "BOOL" [num_args = 0..=1, default_missing_value = "true"],
        "Follow symbolic links that lead to places in the root, also out of users' homes; those that begin at the host's \
         root are never followed";
    umask: Umask = "own", "BITS",
        "Permission bits that nothing new gets, in octal; own: as the server was started with";
    file_mode: ModeBits<0o600> = "0644", "BITS",
        "Permission bits of new files, in octal, less the umask";
    directory_mode: ModeBits<0o700> = "0755", "BITS",
        "Permission bits of new directories, in octal, less the umask";
    keep: KeepRules = "none", "DURATION",
        "How long files live that are stored where no path with an earlier date is, each from then on: a duration for all \
         of the root, or by folder /=30d,/scans=7d; or none";
    min_free: MinFree = "none", "BYTES",
        "What uploads leave free on the disk: a number of bytes, a part of it such as 5%, or none";
    log_format: LogFormat = "text", "FORMAT",
        "How log lines look: text or json";
    log_level: LevelFilter = "info", "LEVEL",
        "The least severe log lines: off, error, warn, info, debug (the dialogue too, secrets hidden) or trace";
    log_file: Option<PathBuf> = "none", "FILE",
        "File that log lines are appended to, opened anew on SIGHUP and SIGUSR1; none: standard error";
    xferlog: Option<PathBuf> = "none", "FILE",
        "File for a line on each transfer in the format of wu-ftpd's xferlog, times in UTC; opened anew as the log is";
}

fn default<T: Form>(text: &str) -> T {
    T::read(text).expect("each default of the table has its setting's form, which a test holds")
}

/// Reads `listen = "ADDR"` as well as `listen = ["ADDR", "ADDR"]`.
fn one_or_more<'de, T: Form, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Value<T>>>, D::Error> {
    struct OneOrMore<T>(PhantomData<T>);

    impl<'de, T: Form> Visitor<'de> for OneOrMore<T> {
        type Value = Vec<Value<T>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}, or a list of such", T::form())
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            text.parse().map(|address| vec![address]).map_err(E::custom)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, addresses: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(addresses))
        }
    }

    deserializer.deserialize_any(OneOrMore(PhantomData)).map(Some)
}
