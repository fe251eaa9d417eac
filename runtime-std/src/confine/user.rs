//! Becoming another user, for good.

use super::capability;
use super::error::ConfineError;
use crate::log;
use nix::unistd::{Gid, Group, ResGid, ResUid, Uid, User, getresgid, getresuid};
use std::ffi::CString;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A user by name or number, alone or with a group: `mayfly`, `65534:65534`, `mayfly:scans`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    user: String,
    group: Option<String>,
}

impl UserName {
    /// Reads `USER` or `USER:GROUP`; none where it has not that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let is_name = |name: &str| {
            let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            begins && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c))
        };
        let is_right = is_name(user) && group.is_none_or(is_name);
        is_right.then(|| Self { user: user.to_owned(), group: group.map(str::to_owned) })
    }

    /// Whether this is root, who stays what he is.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.user == "root" || self.user == "0"
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        self.group.as_ref().map_or(Ok(()), |group| write!(f, ":{group}"))
    }
}

/// Who that is on this host.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    uid: Uid,
    gid: Gid,
    /// With the groups that this name is in; none: with that one group alone.
    groups_of: Option<CString>,
}

/// Becomes this user and nobody else, with no right of root's but that to bind low ports, if it is to be kept. A `root`
/// that is missing is made for him first, and log files that were just begun become his.
pub(super) fn become_user(
    name: &UserName,
    root: &Path,
    logs: &[PathBuf],
    keep_ports: bool,
) -> Result<(), ConfineError> {
    let identity = find(name)?;
    if !rustix::process::geteuid().is_root() {
        let is_he = getresuid().is_ok_and(|ids| ids == one_uid(identity.uid))
            && (name.group.is_none() || getresgid().is_ok_and(|ids| ids == one_gid(identity.gid)));
        if !is_he {
            return Err(ConfineError::NotRoot { name: name.to_string() });
        }
        return capability::narrow(capability::needed(false, keep_ports));
    }
    if identity.uid.is_root() {
        return capability::narrow(capability::needed(true, keep_ports));
    }
    capability::limit(capability::needed(false, keep_ports))?;
    make_root(root, &identity).map_err(|error| ConfineError::Step { what: "making the root", error })?;
    logs.iter()
        .try_for_each(|log| give_if_new(log, &identity))
        .map_err(|error| ConfineError::Step { what: "giving the log away", error })?;
    rustix::thread::set_keep_capabilities(keep_ports).map_err(ConfineError::during("keeping capabilities"))?;
    switch(&identity)
        .map_err(|errno| ConfineError::Step { what: "changing the user", error: std::io::Error::from(errno) })?;
    capability::narrow(capability::needed(false, keep_ports))
}

/// Becomes this user where root asks. False: the user is known, and who asks is neither.
pub(super) fn try_on(name: &UserName) -> Result<bool, ConfineError> {
    let identity = find(name)?;
    let uid = rustix::process::geteuid();
    if uid.is_root() && !identity.uid.is_root() {
        switch(&identity).map_err(|errno| ConfineError::Step { what: "changing the user", error: errno.into() })?;
        return Ok(true);
    }
    Ok(uid.as_raw() == identity.uid.as_raw())
}

/// Becomes whom the server is.
pub(super) fn become_server(root: &Path, made_by_it: &Path, user: Option<&UserName>) -> Result<(), ConfineError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = |path: &Path| std::fs::symlink_metadata(path).map(|seen| owner_of(&seen));
    let identity = match (owner(made_by_it), user) {
        (Ok(owner), _) => owner,
        (Err(_), Some(user)) => find(user)?,
        (Err(_), None) => owner(root).map_err(|error| ConfineError::Step { what: "looking at the root", error })?,
    };
    if identity.uid.is_root() {
        return Ok(());
    }
    switch(&identity).map_err(|errno| ConfineError::Step { what: "changing the user", error: errno.into() })
}

/// One whom the host does not know by name has no further groups.
fn owner_of(seen: &Metadata) -> Identity {
    let (uid, gid) = (Uid::from_raw(seen.uid()), Gid::from_raw(seen.gid()));
    let known = User::from_uid(uid).unwrap_or_default();
    Identity { uid, gid, groups_of: known.and_then(|user| CString::new(user.name).ok()) }
}

/// Groups first: without root's rights they cannot be changed any more. These calls reach every thread.
fn switch(identity: &Identity) -> nix::Result<()> {
    let Identity { uid, gid, groups_of } = identity;
    match groups_of {
        Some(name) => nix::unistd::initgroups(name, *gid)?,
        None => nix::unistd::setgroups(&[*gid])?,
    }
    nix::unistd::setresgid(*gid, *gid, *gid)?;
    nix::unistd::setresuid(*uid, *uid, *uid)?;
    // A system that says yes and does not do it would leave all doors open.
    let is_he = getresuid()? == one_uid(*uid) && getresgid()? == one_gid(*gid);
    if is_he && nix::unistd::setuid(Uid::from_raw(0)).is_err() { Ok(()) } else { Err(nix::Error::EPERM) }
}

fn find(name: &UserName) -> Result<Identity, ConfineError> {
    let missing = |missing| ConfineError::UnknownUser { name: name.to_string(), missing };
    let number = |text: &str| text.parse::<u32>().ok();
    // A name service that fails knows nobody.
    let known = match number(&name.user) {
        Some(uid) => User::from_uid(Uid::from_raw(uid)),
        None => User::from_name(&name.user),
    }
    .unwrap_or_default();
    let uid = match (&known, number(&name.user)) {
        (Some(user), _) => user.uid,
        (None, Some(uid)) => Uid::from_raw(uid),
        (None, None) => return Err(missing("user")),
    };
    let Some(group) = &name.group else {
        let user = known.ok_or_else(|| missing("user, and no group is given"))?;
        let groups_of = CString::new(user.name).map_err(|_| missing("user"))?;
        return Ok(Identity { uid, gid: user.gid, groups_of: Some(groups_of) });
    };
    let gid = match number(group) {
        Some(gid) => Gid::from_raw(gid),
        None => Group::from_name(group).unwrap_or_default().ok_or_else(|| missing("group"))?.gid,
    };
    Ok(Identity { uid, gid, groups_of: None })
}

/// One that stands already belongs to whom it belongs.
fn make_root(root: &Path, identity: &Identity) -> std::io::Result<()> {
    if root.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(root)?;
    std::os::unix::fs::chown(root, Some(identity.uid.as_raw()), Some(identity.gid.as_raw()))
}

/// A log that held lines before belongs to whom it belongs, and a device is nobody's to have. What this process has told
/// up to now stands in it already.
fn give_if_new(log: &Path, identity: &Identity) -> std::io::Result<()> {
    let seen = std::fs::symlink_metadata(log)?;
    if seen.is_file() && seen.uid() == 0 && (seen.len() == 0 || log::has_begun(log)) {
        std::os::unix::fs::lchown(log, Some(identity.uid.as_raw()), Some(identity.gid.as_raw()))?;
    }
    Ok(())
}

fn one_uid(uid: Uid) -> ResUid {
    ResUid { real: uid, effective: uid, saved: uid }
}

fn one_gid(gid: Gid) -> ResGid {
    ResGid { real: gid, effective: gid, saved: gid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_name_or_number_with_or_without_a_group() {
        for text in ["mayfly", "0", "65534:65534", "www-data:scans", "_ftp"] {
            assert_eq!(UserName::parse(text).map(|name| name.to_string()).as_deref(), Some(text));
        }
        for text in ["", ":", "mayfly:", ":scans", "-x", "a b", "a:b:c", "may\nfly"] {
            assert_eq!(UserName::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_that_no_user_has_needs_a_group() {
        let of = |text: &str| find(&UserName::parse(text).unwrap());
        let (uid, gid) = (Uid::from_raw(4_000_000), Gid::from_raw(4_000_001));
        assert_eq!(of("4000000:4000001").unwrap(), Identity { uid, gid, groups_of: None });
        let text = of("4000000").unwrap_err().to_string();
        assert!(
            text.starts_with("cannot become 4000000: this host has no such user, and no group is given\n"),
            "{text}"
        );
        assert!(of("no-such-user").unwrap_err().to_string().contains("no such user\n"));
        assert!(of("0:no-such-group").unwrap_err().to_string().contains("no such group\n"));
        assert_eq!(of("root").unwrap().groups_of.unwrap().to_str(), Ok("root"));
    }
}
