//! Where a session stands: what it is doing, and which outcome it awaits. Each variant holds only what that state has.

use super::facts::Setting;
use super::lookup::Lookup;
use super::status::Status;
use super::stou::Naming;
use super::transfer::{Kind, Transfer};
use super::work::{Stop, Work};
use crate::action::ActionId;
use crate::date::ExpiryDate;
use crate::error::StorageError;
use crate::event::StorageOutcome;
use crate::path::VirtualPath;
use crate::record::{PathState, Record, Token};
use crate::time::Now;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::String;
use core::ops::ControlFlow;

/// How a step of a command goes on: it waits, or this is the command's one final reply. That each command gets exactly
/// one is in this type.
pub(super) type Flow<T = Wait> = ControlFlow<Reply, T>;

/// What the session as a whole is doing.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing was said yet; `Connected` is to come.
    Fresh,
    /// The next line may be taken.
    Ready,
    /// The control connection's TLS handshake runs.
    Securing {
        /// `Action::StartTls`.
        id: ActionId,
        /// Whether the greeting is due after it.
        greets: bool,
    },
    /// A command is being carried out, and waits.
    Busy(Box<Wait>),
    /// `Close` was handed out.
    Closed,
}

/// What a command waits for.
#[derive(Debug)]
pub(super) enum Wait {
    /// The outcome of this action.
    For {
        /// The action.
        id: ActionId,
        /// The kind of outcome, and what to do then.
        outcome: Awaited,
    },
    /// This moment on the monotonic clock; then the reply is due.
    Until {
        /// Milliseconds.
        at_ms: u64,
        /// The final reply.
        reply: Reply,
    },
}

/// The kind of outcome that is awaited, and what needs it.
#[derive(Debug)]
pub(super) enum Awaited {
    /// `StorageOutcome::State`.
    State(Checking),
    /// `StorageOutcome::Done`.
    Done(Doing),
    /// `StorageOutcome::Opened`.
    Opened(Box<Transfer>),
    /// `StorageOutcome::Published`.
    Published(Box<Transfer>),
    /// What a listing's walk asked the storage last.
    Walked(Reading),
    /// `StorageOutcome::Listed`, of such work.
    WorkListed(Box<Work>),
    /// `StorageOutcome::Opened`, of work without a data connection.
    WorkOpened(Box<Work>),
    /// `StorageOutcome::Read`.
    WorkRead(Box<Work>),
    /// `StorageOutcome::Published`, of such work.
    WorkPublished(Box<Work>),
    /// `StorageOutcome::Room`.
    Room,
    /// `Event::RandomDrawn`.
    Drawn(Box<Drawing>),
    /// `Event::DataListening`.
    Listening {
        /// For EPSV; else for PASV.
        extended: bool,
    },
    /// `Event::DataConnected`.
    Connected(Box<Transfer>),
    /// `Event::TlsStarted`, of the data connection.
    Secured(Box<Transfer>),
    /// `Event::TransferEnded`.
    Ended(Box<Transfer>),
    /// `Event::LoginVerified`.
    Verified(Box<Verifying>),
}

impl Awaited {
    /// The transfer that is under way.
    pub(super) fn transfer(&self) -> Option<&Transfer> {
        match self {
            Self::State(Checking { purpose: Purpose::Transfer(transfer) | Purpose::Again(transfer), .. })
            | Self::Walked(Reading::Transfer(transfer))
            | Self::Opened(transfer)
            | Self::Published(transfer)
            | Self::Connected(transfer)
            | Self::Secured(transfer)
            | Self::Ended(transfer) => Some(transfer),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn transfer_mut(&mut self) -> Option<&mut Transfer> {
        match self {
            Self::State(Checking { purpose: Purpose::Transfer(transfer) | Purpose::Again(transfer), .. })
            | Self::Walked(Reading::Transfer(transfer))
            | Self::Opened(transfer)
            | Self::Published(transfer)
            | Self::Connected(transfer)
            | Self::Secured(transfer)
            | Self::Ended(transfer) => Some(transfer),
            _ => None,
        }
    }
}

impl Awaited {
    /// Why the long work without a data connection that is under way is being ended, as long as it may be stopped.
    pub(super) fn stop(&self) -> Option<&Option<Stop>> {
        match self {
            Self::State(Checking { purpose: Purpose::Work(work), .. })
            | Self::Done(Doing { deed: Deed::OpenTree(work), .. })
            | Self::WorkListed(work)
            | Self::WorkOpened(work)
            | Self::WorkRead(work)
            | Self::WorkPublished(work) => Some(&work.stop),
            Self::Walked(Reading::Status(status)) => Some(&status.stop),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn stop_mut(&mut self) -> Option<&mut Option<Stop>> {
        match self {
            Self::State(Checking { purpose: Purpose::Work(work), .. })
            | Self::Done(Doing { deed: Deed::OpenTree(work), .. })
            | Self::WorkListed(work)
            | Self::WorkOpened(work)
            | Self::WorkRead(work)
            | Self::WorkPublished(work) => Some(&mut work.stop),
            Self::Walked(Reading::Status(status)) => Some(&mut status.stop),
            _ => None,
        }
    }
}

/// What a command works on.
#[derive(Debug)]
pub(super) struct Subject {
    /// The path.
    pub(super) path: VirtualPath,
    /// How often the command was started over, because what it had judged changed meanwhile.
    pub(super) tries: u32,
}

/// A path is being checked.
#[derive(Debug)]
pub(super) struct Checking {
    /// The path.
    pub(super) subject: Subject,
    /// What for.
    pub(super) purpose: Purpose,
}

/// What a path is checked for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// CWD, with the argument as written.
    Cwd { argument: String },
    /// CDUP: whether this ancestor lives.
    Cdup,
    /// MKD of the path; a token drawn already serves again.
    Mkd { token: Option<Token> },
    /// MKD of `child`, which has a tombstone: whether that is its own or its parent's.
    MkdParent { child: Subject, token: Option<Token> },
    /// RMD.
    Rmd,
    /// DELE.
    Dele,
    /// RNFR.
    Rnfr,
    /// RNTO: the source, again.
    RntoSource { to: VirtualPath },
    /// RNTO: the target.
    RntoTarget { from: Subject, source: PathState },
    /// SIZE.
    Size,
    /// MDTM; where nothing is of that name, this time is meant for that path.
    Mdtm { other: Option<(i64, VirtualPath)> },
    /// MFMT, MFCT, MFF, SITE UTIME, SITE CHMOD.
    SetFacts(Setting),
    /// AVBL.
    Room,
    /// Long work without a data connection: each of its paths.
    Work(Box<Work>),
    /// ALLO: whether the working directory lives.
    Allo { size_bytes: u64 },
    /// MLST.
    Mlst { argument: String },
    /// STAT of a path.
    Stat(Box<Lookup>),
    /// SETEXPIRY and SITE EXPIRY with a date.
    SetExpiry { site: bool, date: ExpiryDate },
    /// SITE EXPIRY without one.
    AskExpiry,
    /// SITE TOKEN.
    Token,
    /// SITE CLAIM; none: a malformed token.
    Claim { token: Option<Token> },
    /// A transfer's path, before anything else.
    Transfer(Box<Transfer>),
    /// A transfer's path again, where time has passed or the storage says that something has changed.
    Again(Box<Transfer>),
}

impl Purpose {
    /// What the command says when it fails.
    pub(super) fn failure(&self) -> &'static str {
        match self {
            Self::Cwd { .. } | Self::Cdup => text::CWD_FAILED,
            Self::Mkd { .. } | Self::MkdParent { .. } => text::MKD_FAILED,
            Self::Rmd => text::RMD_FAILED,
            Self::Dele => text::DELE_FAILED,
            Self::Rnfr => text::RNFR_FAILED,
            Self::RntoSource { .. } | Self::RntoTarget { .. } => text::RNTO_FAILED,
            Self::Size => text::SIZE_FAILED,
            Self::Mdtm { .. } => text::MDTM_FAILED,
            Self::SetFacts(setting) => setting.failure(),
            Self::Room => text::AVBL_FAILED,
            Self::Work(work) => work.failure(),
            Self::Allo { .. } => text::ALLO_FAILED,
            Self::Mlst { .. } | Self::Stat(_) => text::FACTS_FAILED,
            Self::SetExpiry { .. } => text::EXPIRY_FAILED,
            Self::AskExpiry => text::EXPIRY_UNKNOWN,
            Self::Token => text::TOKEN_FAILED,
            Self::Claim { .. } => text::CLAIM_FAILED,
            Self::Transfer(transfer) | Self::Again(transfer) => transfer.failure(),
        }
    }
}

/// What random bits are drawn for.
#[derive(Debug)]
pub(super) enum Drawing {
    /// The token of a storage path.
    Making(Making),
    /// The name of a STOU.
    Naming(Naming),
}

/// A user whose proof is being checked.
#[derive(Debug)]
pub(super) struct Verifying {
    /// As the peer named them.
    pub(super) user: String,
    /// By the certificate of the control connection; else by a password.
    pub(super) by_certificate: bool,
    /// When it was shown.
    pub(super) began: Now,
}

/// A storage path is about to be made; its token is being drawn.
#[derive(Debug)]
pub(super) struct Making {
    /// The path.
    pub(super) subject: Subject,
    /// The expiry that it gets.
    pub(super) expiry_s: Option<i64>,
    /// The expired record of what stands there still.
    pub(super) replaces: Option<Record>,
}

/// The storage is changing something, or closing a listing.
#[derive(Debug)]
pub(super) struct Doing {
    /// The path that it concerns.
    pub(super) subject: Subject,
    /// What.
    pub(super) deed: Deed,
}

/// What the storage is doing.
#[derive(Debug)]
pub(super) enum Deed {
    /// MKD.
    Make { token: Token, expiry_s: Option<i64>, replaces: bool },
    /// RMD.
    RemoveDirectory,
    /// DELE.
    RemoveFile,
    /// RNTO, to this path, where the file gets this date of its own.
    Rename { to: VirtualPath, expiry_s: Option<i64> },
    /// MFMT, MFCT, MFF, SITE UTIME, SITE CHMOD.
    SetFacts(Setting),
    /// SETEXPIRY and SITE EXPIRY.
    SetExpiry { site: bool, date: ExpiryDate, expiry_s: Option<i64> },
    /// ALLO.
    Reserve { size_bytes: u64 },
    /// DSIZ, each directory.
    OpenTree(Box<Work>),
    /// COMB, each part after it was read.
    RemovePart(Box<Work>),
    /// A reading is closed; then the open upload is forgotten, and this is due.
    ForgetUpload(Reply),
    /// A broken upload is kept aside; this is due then.
    Keep { unique: String, reply: Reply },
    /// Something is tidied away; this is due then, whatever comes of it.
    Tidy(Reply),
}

/// A listing goes on.
#[derive(Debug)]
pub(super) enum Reading {
    /// For LIST, NLST, MLSD.
    Transfer(Box<Transfer>),
    /// For STAT of a directory.
    Status(Box<Status>),
}

impl Reading {
    /// Whether this is the kind of outcome that it waits for.
    pub(super) fn awaits(&self, outcome: &Result<StorageOutcome, StorageError>) -> bool {
        match self {
            Self::Transfer(transfer) => match &transfer.kind {
                Kind::Listing(listing) => listing.awaits(outcome),
                Kind::Download { .. } | Kind::Upload(_) => false,
            },
            Self::Status(status) => status.awaits(outcome),
        }
    }
}

/// Why the session is to end once it is ready again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// QUIT was answered.
    Quit,
    /// The last failed login was answered.
    Logins,
    /// The peer closed the control connection; lines that came before are carried out.
    HungUp,
    /// The server shuts down.
    ShutDown,
}
