//! Habits of clients that are tolerated, each with its name and whose it is.

use crate::date;
use crate::path::VirtualPath;

/// The seed's `view(storage_path)` says `CWD p` and then `LIST p`, where `p` means the same directory both times.
///
/// Where nothing is at `argument` in the working directory, it is the working directory itself if it is what the last
/// successful CWD said; else it is looked up from the root. None where there is no second place to look.
pub(super) fn second_place(
    argument: &str,
    directory: &VirtualPath,
    last_argument: Option<&str>,
) -> Option<VirtualPath> {
    if last_argument == Some(argument) {
        return Some(directory.clone());
    }
    let from_root = VirtualPath::parse(argument).ok()?;
    let elsewhere = !argument.starts_with('/') && !directory.is_root();
    elsewhere.then_some(from_root)
}

/// Old clients set a time with `MDTM YYYYMMDDHHMMSS path`, before MFMT was there: `CuteFTP`, ncftp, `FlashFXP`.
///
/// The time and the path. It is meant so only where no file has the whole for its name.
pub(super) fn time_before_path(argument: &str) -> Option<(i64, &str)> {
    let (time, path) = argument.split_once(' ')?;
    let modified_s = date::parse_time_val(time)?;
    (!path.is_empty()).then_some((modified_s, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_looked_up_in_the_directory_then_as_it_then_from_the_root() {
        let scans = VirtualPath::parse("/scans").unwrap();
        let second = |argument, last| second_place(argument, &scans, last).map(|path| path.as_str().to_owned());
        assert_eq!(second("scans", Some("scans")).as_deref(), Some("/scans"));
        assert_eq!(second("scans", Some("/scans")).as_deref(), Some("/scans"));
        assert_eq!(second("other", Some("scans")).as_deref(), Some("/other"));
        assert_eq!(second("/other", Some("scans")), None);
        assert_eq!(second_place("x", &VirtualPath::root(), None), None);
    }

    use alloc::borrow::ToOwned;
}
