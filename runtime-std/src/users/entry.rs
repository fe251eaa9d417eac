//! One user's table in the users file.

use super::hash::Hash;
use super::values::{Addresses, Allowed, Home, MaybeCount, MaybeSize, Rate, Subject};
use super::{NAME_FORM, User, is_name};
use crate::settings::{Lifetime, Value};
use mayfly_core::path::VirtualPath;
use mayfly_core::user::{self, Account, ExpiryPolicy, Quota, Rights};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// See the module `users`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct Entry {
    password: Option<Value<Hash>>,
    home: Option<Spanned<Value<Home>>>,
    confined: Option<Value<bool>>,
    rights: Option<Value<Allowed>>,
    quota_bytes: Option<Value<MaybeSize>>,
    quota_files: Option<Value<MaybeCount>>,
    upload_rate: Option<Value<Rate>>,
    download_rate: Option<Value<Rate>>,
    addresses: Option<Value<Addresses>>,
    default_expiry: Option<Spanned<Value<Lifetime>>>,
    max_expiry: Option<Value<Lifetime>>,
    require_expiry: Option<Value<bool>>,
    certificate: Option<Value<Subject>>,
    disabled: Option<Value<bool>>,
}

/// What is wrong, and at which bytes of the file; none: with the table as a whole.
pub(super) type Wrong = (Option<Range<usize>>, String);

impl Entry {
    /// The user of that name.
    pub(super) fn into_user(self, name: &str) -> Result<User, Wrong> {
        if !is_name(name) {
            return Err((None, NAME_FORM.to_owned()));
        }
        if self.password.is_none() && self.certificate.is_none() {
            return Err((None, format!("\"{name}\" cannot log in: expected password or certificate")));
        }
        let account = self.account(name)?;
        Ok(User {
            account,
            password: self.password.map(|hash| hash.0),
            certificate: self.certificate.map(|subject| subject.0.0),
            addresses: self.addresses.and_then(|addresses| addresses.0.0),
            disabled: self.disabled.is_some_and(|disabled| disabled.0),
        })
    }

    fn account(&self, name: &str) -> Result<Account, Wrong> {
        let mut account = Account::new(name.to_owned(), self.rights.map_or(Rights::ALL, |rights| rights.0.0));
        account.home = self.home_of(name)?;
        account.confined = self.confined.map_or(!account.home.is_root(), |confined| confined.0);
        account.expiry = self.expiry()?;
        let quota = Quota {
            bytes: self.quota_bytes.and_then(|bytes| bytes.0.0),
            files: self.quota_files.and_then(|files| files.0.0),
        };
        account.quota = (quota != Quota::default()).then_some(quota);
        account.upload_bytes_per_s = self.upload_rate.and_then(|rate| rate.0.0);
        account.download_bytes_per_s = self.download_rate.and_then(|rate| rate.0.0);
        Ok(account)
    }

    fn home_of(&self, name: &str) -> Result<VirtualPath, Wrong> {
        let Some(home) = &self.home else { return Ok(VirtualPath::root()) };
        home.as_ref().0.of(name).ok_or_else(|| (Some(home.span()), format!("\"{name}\" makes no path of this home")))
    }

    fn expiry(&self) -> Result<ExpiryPolicy, Wrong> {
        let lifetime = |value: Lifetime| value.0.map_or(user::Lifetime::Unbounded, user::Lifetime::Seconds);
        let default = self.default_expiry.as_ref().map(|default| default.as_ref().0);
        let max = self.max_expiry.map(|max| max.0);
        if let (Some(default_s), Some(max_s)) = (default.and_then(|default| default.0), max.and_then(|max| max.0))
            && default_s > max_s
        {
            let at = self.default_expiry.as_ref().map(Spanned::span);
            return Err((at, "default_expiry must not lie beyond max_expiry".to_owned()));
        }
        let required = self.require_expiry.map(|required| required.0);
        Ok(ExpiryPolicy { default: default.map(lifetime), max: max.map(lifetime), required })
    }
}
