//! Which command is carried out where.

use super::Session;
use super::facts::By;
use super::state::{End, Flow};
use super::view::ListingForm;
use crate::action::NewFacts;
use crate::listing::options::ListingRequest;
use crate::time::Now;
use crate::wire::command::Command;
use crate::wire::reply::Reply;
use crate::wire::text;
use core::ops::ControlFlow::Break;

impl Session {
    /// Begins a command that was admitted.
    pub(super) fn command(&mut self, now: Now, command: Command) -> Flow {
        match command {
            Command::User(name) => self.user(now, name),
            Command::Pass(password) => self.pass(now, password),
            Command::Auth(mechanism) => Break(self.auth(&mechanism)),
            Command::Pbsz(bytes) => Break(self.pbsz(bytes)),
            Command::Prot(level) => Break(self.prot(level)),
            Command::Ccc => Break(self.ccc()),
            Command::Acct(_) => Break(self.acct()),
            Command::Rein => Break(self.rein(now)),
            Command::Quit => {
                self.ending = Some(End::Quit);
                Break(Reply::new(221, text::GOODBYE))
            }
            Command::Noop => Break(Reply::new(200, text::NOOP_OK)),
            Command::Syst => Break(Reply::new(215, text::SYSTEM)),
            Command::Feat => Break(self.feat()),
            Command::OptsUtf8(on) => Break(Self::opts_utf8(on)),
            Command::Help(topic) => Break(Self::help(topic.as_deref())),
            Command::Type(code) => Break(self.set_type(code)),
            Command::ModeStream => Break(self.set_mode(false)),
            Command::ModeDeflate => Break(self.set_mode(true)),
            Command::OptsModeZ(level) => Break(self.set_deflate_level(level)),
            Command::StruFile => Break(Reply::new(200, text::STRUCTURE_SET)),
            Command::Allo(size_bytes) => self.allo(size_bytes),
            Command::Pwd => Break(self.pwd()),
            Command::Cwd(argument) => self.cwd(argument),
            Command::Cdup => self.cdup(),
            Command::Mkd(argument) => self.mkd(&argument),
            Command::Rmd(argument) => self.rmd(&argument),
            Command::Dele(argument) => self.dele(&argument),
            Command::Rnfr(argument) => self.rnfr(&argument),
            Command::Rnto(argument) => self.rnto(&argument),
            Command::Port { extended, address } => Break(self.port(extended, address)),
            Command::Pasv => self.pasv(),
            Command::Epsv(argument) => self.epsv(argument),
            Command::Retr(argument) => self.retr(argument),
            Command::Stor(argument) => self.stor(false, argument),
            Command::Appe(argument) => self.stor(true, argument),
            Command::Stou(argument) => self.stou(argument),
            Command::Rest(offset_bytes) => Break(self.rest(offset_bytes)),
            Command::Rang { first, last } => Break(self.rang(first, last)),
            Command::Abor => Break(self.abor()),
            Command::OptsMlst(chosen) => Break(self.opts_mlst(chosen)),
            Command::Stat(None) => Break(self.status()),
            Command::Stat(Some(request)) => self.stat(request),
            Command::List(request) => self.list(ListingForm::Long, request),
            Command::Nlst(request) => self.list(ListingForm::Names, request),
            Command::Mlsd(path) => {
                self.list(ListingForm::Facts(self.facts), ListingRequest::exactly(path.unwrap_or_default()))
            }
            Command::Mlst(argument) => self.mlst(argument.unwrap_or_default()),
            Command::Size(argument) => self.size(&argument),
            Command::Mdtm(argument) => self.mdtm(&argument),
            Command::Mfmt { modified_s, path } => {
                self.set_facts(By::Mfmt, NewFacts { modified_s: Some(modified_s), ..NewFacts::default() }, &path)
            }
            Command::Mfct { created_s, path } => {
                self.set_facts(By::Mfct, NewFacts { created_s: Some(created_s), ..NewFacts::default() }, &path)
            }
            Command::Mff { facts, path } => self.set_facts(By::Mff, *facts, &path),
            Command::SiteUtime { modified_s, accessed_s, path } => {
                let facts = NewFacts { modified_s: Some(modified_s), accessed_s, ..NewFacts::default() };
                self.set_facts(By::SiteUtime, facts, &path)
            }
            Command::SiteChmod { mode, path } => {
                self.set_facts(By::SiteChmod, NewFacts { mode: Some(mode), ..NewFacts::default() }, &path)
            }
            Command::Hash(argument) => self.hash(argument),
            Command::OptsHash(algorithm) => Break(self.opts_hash(algorithm)),
            Command::XHash { algorithm, path, range } => self.x_hash(algorithm, &path, range),
            Command::Comb { target, parts } => self.comb(&target, &parts),
            Command::Avbl(argument) => self.avbl(&argument.unwrap_or_default()),
            Command::Dsiz(argument) => self.dsiz(&argument.unwrap_or_default()),
            Command::Clnt(name) => Break(self.clnt(name)),
            Command::Csid(name) => Break(self.csid(name)),
            Command::Lang(tag) => Break(Self::lang(tag.as_deref())),
            Command::Host(host) => Break(self.host(&host)),
            Command::SiteWhoami => Break(self.whoami()),
            Command::SiteIdle(idle_s) => Break(self.site_idle(idle_s)),
            Command::Expiry { site, path, date } => self.expiry(now, site, &path, date.as_deref()),
            Command::SiteToken(argument) => self.site_token(&argument),
            Command::SiteClaim { path, token } => self.site_claim(&path, &token.0),
        }
    }
}
