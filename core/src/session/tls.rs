//! AUTH, PBSZ, PROT and CCC: which connections are secured with TLS, and how (RFC 2228, RFC 4217).

use super::Session;
use super::login::Login;
use super::state::{Flow, State};
use super::transfer::Transfer;
use crate::action::{Action, Note};
use crate::error::TlsError;
use crate::event::TlsInfo;
use crate::settings::{RequireTls, TlsRules};
use crate::time::Now;
use crate::wire::command::ProtectionLevel;
use crate::wire::reply::Reply;
use crate::wire::text;
use alloc::boxed::Box;
use alloc::string::String;
use core::ops::ControlFlow::{Break, Continue};

/// How the control connection is secured.
#[derive(Debug, Default)]
pub(super) enum Channel {
    /// Not at all.
    #[default]
    Clear,
    /// Not yet: the handshake is the next thing to come. `private`: PROT P holds from then on without being said.
    Agreed { private: bool },
    /// With TLS.
    Secured(Box<Secured>),
}

/// What holds on a control connection with TLS.
#[derive(Debug)]
pub(super) struct Secured {
    /// The subject of the client's certificate.
    certificate: Option<String>,
    /// PBSZ came.
    buffer_agreed: bool,
    /// PROT P.
    private: bool,
}

impl Channel {
    /// Whether the handshake is the next thing to come.
    pub(super) fn is_agreed(&self) -> bool {
        matches!(self, Self::Agreed { .. })
    }

    /// Whether what is said goes through TLS.
    pub(super) fn is_secured(&self) -> bool {
        matches!(self, Self::Secured(_))
    }

    /// The subject of the client's certificate, where it showed one.
    pub(super) fn certificate(&self) -> Option<&str> {
        match self {
            Self::Secured(secured) => secured.certificate.as_deref(),
            Self::Clear | Self::Agreed { .. } => None,
        }
    }
}

impl Session {
    /// RFC 4217 4: after 234 the handshake begins.
    pub(super) fn auth(&mut self, mechanism: &str) -> Reply {
        match (&self.channel, mechanism) {
            _ if self.settings.tls.is_none() => Reply::new(502, text::TLS_UNAVAILABLE),
            (Channel::Clear, "TLS" | "TLS-C" | "TLS-P" | "SSL") => {
                // The last two are those of the drafts before RFC 4217; to who says them, they mean PROT P as well (lftp).
                self.channel = Channel::Agreed { private: matches!(mechanism, "TLS-P" | "SSL") };
                Reply::new(234, text::TLS_PROCEED)
            }
            (Channel::Clear, _) => Reply::new(504, text::AUTH_UNKNOWN),
            (Channel::Agreed { .. } | Channel::Secured(_), _) => Reply::new(503, text::TLS_ALREADY),
        }
    }

    /// Begins the handshake. What came in clear behind AUTH was not the client's, or should not be taken for it: whoever
    /// sits between could have put commands there that would count as sent through TLS.
    pub(super) fn secure_control(&mut self, now: Now, greets: bool) {
        if !self.input.is_empty() {
            return self.close("input in clear after AUTH");
        }
        let id = self.fresh_id();
        self.push(Action::StartTls { id });
        self.since_ms = now.monotonic_ms;
        self.state = State::Securing { id, greets };
    }

    pub(super) fn control_secured(&mut self, now: Now, greets: bool, outcome: Result<TlsInfo, TlsError>) {
        let tls = match outcome {
            Ok(tls) => tls,
            Err(error) => {
                self.note(Note::NotSecured { data: false, error });
                return self.close("no TLS");
            }
        };
        let private = matches!(self.channel, Channel::Agreed { private: true });
        let secured = Secured { certificate: tls.certificate.clone(), buffer_agreed: private, private };
        self.note(Note::Secured { data: false, tls });
        self.channel = Channel::Secured(Box::new(secured));
        if greets {
            return self.greet();
        }
        self.state = State::Ready;
        self.forget_what_was_said_in_clear(now);
    }

    /// Who it was and what was asked for counts no more, as after REIN: whoever sat between could have said it.
    fn forget_what_was_said_in_clear(&mut self, now: Now) {
        let until_ms = match &self.login {
            Login::Out { until_ms, .. } => Some(*until_ms),
            Login::In(_) => None,
        };
        self.begin_anew(now);
        if let (Login::Out { until_ms: new, .. }, Some(until_ms)) = (&mut self.login, until_ms) {
            *new = until_ms;
        }
    }

    /// RFC 4217 8: TLS needs no buffer size, so it is 0; a client that asks for more is told so in RFC 2228's form (3).
    pub(super) fn pbsz(&mut self, bytes: u32) -> Reply {
        match &mut self.channel {
            Channel::Secured(secured) => {
                secured.buffer_agreed = true;
                Reply::new(200, if bytes == 0 { text::PBSZ_OK } else { text::PBSZ_SMALLER })
            }
            Channel::Clear | Channel::Agreed { .. } => Reply::new(503, text::AUTH_FIRST),
        }
    }

    /// RFC 4217 9.
    pub(super) fn prot(&mut self, level: ProtectionLevel) -> Reply {
        let needs_private = self.requires(RequireTls::Data);
        let Channel::Secured(secured) = &mut self.channel else {
            return Reply::new(503, text::AUTH_FIRST);
        };
        match level {
            _ if !secured.buffer_agreed => Reply::new(503, text::PBSZ_FIRST),
            ProtectionLevel::Safe | ProtectionLevel::Confidential => Reply::new(536, text::PROT_UNSUPPORTED),
            ProtectionLevel::Clear if needs_private => Reply::new(534, text::PROT_TOO_LOW),
            ProtectionLevel::Clear => {
                secured.private = false;
                Reply::new(200, text::PROT_CLEAR)
            }
            ProtectionLevel::Private => {
                secured.private = true;
                Reply::new(200, text::PROT_PRIVATE)
            }
        }
    }

    /// RFC 4217 6 lets a server refuse to fall back to clear, and what is said here may be passwords.
    pub(super) fn ccc(&self) -> Reply {
        match self.channel {
            Channel::Secured(_) => Reply::new(533, text::CCC_REFUSED),
            Channel::Clear | Channel::Agreed { .. } => Reply::new(503, text::AUTH_FIRST),
        }
    }

    /// How the next data connection is to be secured; none: not at all.
    pub(super) fn protects_data(&self) -> Option<TlsRules> {
        match &self.channel {
            Channel::Secured(secured) if secured.private => self.settings.tls,
            _ => None,
        }
    }

    /// Refuses a transfer in clear where data must be private.
    pub(super) fn need_protection(&self) -> Flow<()> {
        if self.requires(RequireTls::Data) && self.protects_data().is_none() {
            return Break(Reply::new(521, text::DATA_IN_CLEAR));
        }
        Continue(())
    }

    /// Refuses a login in clear where TLS is required.
    pub(super) fn need_tls_to_log_in(&self) -> Flow<()> {
        if self.requires(RequireTls::Login) && !self.channel.is_secured() {
            return Break(Reply::new(530, text::TLS_REQUIRED));
        }
        Continue(())
    }

    fn requires(&self, what: RequireTls) -> bool {
        self.settings.tls.is_some_and(|rules| rules.require >= what)
    }

    /// The data connection's handshake has ended.
    pub(super) fn data_secured(
        &mut self,
        now: Now,
        transfer: Box<Transfer>,
        outcome: Result<TlsInfo, TlsError>,
    ) -> Flow {
        if transfer.interrupt.is_some() {
            return self.abandon(now, transfer, None);
        }
        let reply = match outcome {
            Ok(tls) => {
                let refusal = self.refuses_data(&tls);
                self.note(Note::Secured { data: true, tls });
                match refusal {
                    None => return self.move_first(now, transfer),
                    Some(why) => Reply::new(522, why),
                }
            }
            Err(error) => {
                self.note(Note::NotSecured { data: true, error });
                // RFC 4217 10: 522 says that the negotiation failed, or that what came of it will not do.
                let code = if error == TlsError::ConnectionLost { 425 } else { 522 };
                Reply::new(code, text::DATA_NOT_SECURED)
            }
        };
        self.abandon(now, transfer, Some(reply))
    }

    /// Why a data connection that is secured will not do: somebody else may have made it.
    fn refuses_data(&self, tls: &TlsInfo) -> Option<&'static str> {
        let must_resume = self.settings.tls.is_some_and(|rules| rules.require_resumption);
        if must_resume && !tls.resumed {
            return Some(text::DATA_NOT_RESUMED);
        }
        let own = self.channel.certificate();
        (own.is_some() && own != tls.certificate.as_deref()).then_some(text::DATA_OF_ANOTHER)
    }
}
