//! TLS: the control connection's, what of it reaches the data connections, and what it means where it fails.

use super::action::{ClientAction, ClientNote};
use super::desk::Awaited;
use super::event::TlsFault;
use super::failure::{Failure, FailureKind, Hint};
use super::step::{Input, Next};
use super::{Client, Link, Stage};
use crate::event::TlsInfo;
use alloc::format;

impl Client {
    /// Begins the handshake of the control connection.
    pub(super) fn secure_control(&mut self) {
        if self.refuses_injected() {
            return;
        }
        let host = self.host().into();
        self.desk.ask(Awaited::Secured, |id| ClientAction::StartTls { id, host });
        self.desk.wait(self.desk.settings.connect_ms_max);
    }

    pub(super) fn on_tls_started(&mut self, outcome: Result<TlsInfo, TlsFault>) {
        if let Stage::Data(_) = self.stage {
            return self.with_job(|job, desk, _| job.on_secured(desk, outcome));
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
