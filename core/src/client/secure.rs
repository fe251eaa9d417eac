//! TLS: the control connection's, what of it reaches the data connections, and what it means where it fails.

use super::action::{ClientAction, ClientNote};
use super::desk::Awaited;
use super::event::TlsFault;
use super::failure::{Failure, FailureKind, Hint, kind_of};
use super::order::{Moved, Trouble};
use super::server::{Resumption, Server};
use super::step::{Input, Next};
use super::{Client, Link, Stage};
use crate::event::TlsInfo;
use alloc::format;

/// Which versions of TLS are offered. A TLS 1.3 session is resumed once for each ticket (RFC 8446 C.4), and there are
/// servers that refuse what resumes none but give no ticket with an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    All,
    AtMost12,
    /// The server does not speak that one.
    Not12,
}

impl Client {
    /// Begins the handshake of the control connection.
    pub(super) fn secure_control(&mut self) {
        if self.refuses_injected() {
            return;
        }
        let host = self.host().into();
        let at_most_12 = self.versions == Versions::AtMost12;
        self.desk.ask(Awaited::Secured, |id| ClientAction::StartTls { id, host, at_most_12 });
        self.desk.wait(self.desk.settings.connect_ms_max);
    }

    pub(super) fn on_tls_started(&mut self, mut outcome: Result<TlsInfo, TlsFault>) {
        if let Stage::Data(_) = self.stage {
            return self.with_job(|job, desk, server| job.on_secured(desk, server, outcome));
        }
        if let (Versions::AtMost12, Err(TlsFault::Failed(_))) = (self.versions, &outcome) {
            self.versions = Versions::Not12;
            outcome = Err(TlsFault::Lost);
        }
        if let Ok(tls) = &outcome {
            self.desk.note(ClientNote::Secured { data: false, tls: tls.clone() });
        }
        self.step(Input::Secured(outcome));
    }

    /// RFC 8446 4.4.2.4: a server may refuse a certificate, or the lack of one, after the client's side is done.
    pub(super) fn on_control_broke(&mut self, fault: TlsFault) {
        let what = format!("the secured connection to {} broke", self.host());
        match not_secured(&what, fault) {
            Next::Fail(failure) => self.leave(failure, false),
            Next::Again(failure) => self.lose(failure),
            _ => self.lose(self.lost()),
        }
    }

    /// Before a retry: where no session is left to be resumed, a new control connection brings one, and with TLS 1.2 one
    /// that lasts.
    pub(super) fn renew_session(&mut self) {
        if !matches!(&self.link, Some(link) if link.server.resumption == Resumption::UsedUp) {
            return;
        }
        if self.versions == Versions::All {
            self.versions = Versions::AtMost12;
        }
        self.hang_up();
    }

    /// Whether the server has said something in clear that would count as said through TLS: what stands behind the 234
    /// may be anybody's who sits between.
    /// Then the connection is left.
    pub(super) fn refuses_injected(&mut self) -> bool {
        let unread = self.link.as_ref().is_some_and(|Link { reader, .. }| !reader.is_empty());
        let injected = unread && matches!(&self.stage, Stage::Login(login) if login.is_securing());
        if injected {
            let what = format!("{} says something in clear where TLS begins", self.host());
            self.give_up(Failure::new(FailureKind::Tls, what), false);
        }
        injected
    }
}

/// A server that takes only data connections that resume a session says so in words of its own, and with many codes.
pub(super) fn blame_resumption(server: &Server, moved: Moved) -> Moved {
    let used_up = server.resumption == Resumption::UsedUp && moved.begun;
    match moved.outcome {
        Err(Trouble::Refused(reply)) if used_up && kind_of(FailureKind::Refused, &reply) == FailureKind::Refused => {
            Moved { outcome: Err(Trouble::Unresumed(reply)), ..moved }
        }
        _ => moved,
    }
}

/// What follows where TLS does not stand. Only what was lost on the way may come right by itself.
pub(super) fn not_secured(what: &str, fault: TlsFault) -> Next {
    let failure = |why: &str| Failure::new(FailureKind::Tls, format!("{what}: {why}"));
    Next::Fail(match fault {
        TlsFault::Untrusted(fault) => failure(&fault.0).with_hint(Hint::CertificateUntrusted),
        TlsFault::WrongName(fault) => failure(&fault.0).with_hint(Hint::CertificateOfAnother),
        TlsFault::OutOfDate(fault) => failure(&fault.0).with_hint(Hint::CertificateOutOfDate),
        TlsFault::NoTls => failure("what answers is no TLS").with_hint(Hint::NoTls),
        TlsFault::Failed(fault) => failure(&fault.0),
        TlsFault::Local(fault) => Failure::new(FailureKind::Local, fault.0),
        TlsFault::Lost | TlsFault::Cancelled => {
            return Next::Again(failure("the connection was lost during the handshake"));
        }
    })
}
