//! The expiry rules: when a path counts as expired, and which dates policy lets through (DESIGN 4).

use crate::date::ExpiryDate;
use crate::path::VirtualPath;
use crate::record::{Entry, EntryRecord, FileInfo, PathState, Record, RecordAt};
use crate::settings::Settings;
use crate::time::Now;
use crate::user::ExpiryRules;

/// What a check of a path comes to at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement<'a> {
    /// It is there, and nothing on the way has expired.
    Live(&'a FileInfo),
    /// Nothing stands under the name, and nothing that stood there expired.
    Missing,
    /// It, or a directory on the way, has expired, whether or not it has been deleted yet.
    Expired,
}

/// Judges what a check brought back. Every command asks here, or [`judge_name`], and nowhere else.
#[must_use]
pub fn judge(state: &PathState, now: Now) -> Judgement<'_> {
    if is_expired(effective_of(state), now.utc_s) {
        return Judgement::Expired;
    }
    match (&state.target, state.tombstone) {
        (Some(info), _) => Judgement::Live(info),
        (None, Some(_)) => Judgement::Expired,
        (None, None) => Judgement::Missing,
    }
}

/// The same for a command that puts something under the name: a file that has expired by a date of its own gives way at
/// once, as an expired storage path does to MKD.
#[must_use]
pub fn judge_name(state: &PathState, now: Now) -> Judgement<'_> {
    let gives_way = state.target.as_ref().is_some_and(|info| is_expired(info.expiry_s, now.utc_s));
    match judge(state, now) {
        Judgement::Expired if gives_way && !is_expired(effective(&state.records), now.utc_s) => Judgement::Missing,
        judgement => judgement,
    }
}

/// The effective expiry of what was checked: a file's own, or one on the way to it, whichever is earlier; none: never.
#[must_use]
pub fn effective_of(state: &PathState) -> Option<i64> {
    earlier(effective(&state.records), state.target.as_ref().and_then(|info| info.expiry_s))
}

/// The effective expiry at the end of a way: the earliest of all its records; none: never.
#[must_use]
pub fn effective(way: &[RecordAt]) -> Option<i64> {
    way.iter().filter_map(|at| at.record.expiry_s).min()
}

/// Whether a name in a directory that lives is there for clients, as far as its own date goes.
#[must_use]
pub fn lives(entry: &Entry, now: Now) -> bool {
    match &entry.record {
        EntryRecord::None => !is_expired(entry.info.expiry_s, now.utc_s),
        EntryRecord::Read(record) => !is_expired(record.expiry_s, now.utc_s),
        EntryRecord::Unreadable => false,
    }
}

/// Whether an expiry has come: `now >= expiry`.
#[must_use]
pub fn is_expired(expiry_s: Option<i64>, utc_s: i64) -> bool {
    expiry_s.is_some_and(|expiry_s| utc_s >= expiry_s)
}

/// The earlier of two expiries; none: never.
#[must_use]
pub fn earlier(one_s: Option<i64>, other_s: Option<i64>) -> Option<i64> {
    match (one_s, other_s) {
        (Some(one_s), Some(other_s)) => Some(one_s.min(other_s)),
        (one_s, other_s) => one_s.or(other_s),
    }
}

/// The records above `path` on the way to it: without its own.
#[must_use]
pub fn above<'a>(way: &'a [RecordAt], path: &VirtualPath) -> &'a [RecordAt] {
    let depth = path.depth();
    let end = way.iter().position(|at| at.depth >= depth).unwrap_or(way.len());
    &way[..end]
}

/// The record of `path` itself, where it is a storage path.
#[must_use]
pub fn own<'a>(way: &'a [RecordAt], path: &VirtualPath) -> Option<&'a Record> {
    let depth = path.depth();
    way.iter().find(|at| at.depth == depth).map(|at| &at.record)
}

/// The expiry of a new storage path, given within its MKD. Only a top-level one gets any, for a nested one has its
/// ancestors'. It never lies beyond `max_s`, or a client could keep a path longer by setting no date.
#[must_use]
pub fn initial(rules: ExpiryRules, way_above: &[RecordAt], now: Now) -> Option<i64> {
    let span_s = [rules.default_s, rules.max_s].into_iter().flatten().min()?;
    way_above.is_empty().then(|| after(now, span_s))
}

/// The date of its own that a file gets when it is stored at `path` now: what the deepest place of `Settings::keep` that
/// holds it says. None: no place does, or a storage path on the way ends no later. `default_expiry` and `max_expiry` are
/// about storage paths alone: what an operator has said of a place holds as it was said.
#[must_use]
pub fn of_file(settings: &Settings, path: &VirtualPath, way: &[RecordAt], now: Now) -> Option<i64> {
    let folder = path.parent();
    let places = settings.keep.iter().filter(|keep| folder.is_within(&keep.path));
    let keep = places.max_by_key(|keep| keep.path.depth())?;
    let expiry_s = after(now, keep.life_s);
    effective(above(way, path)).is_none_or(|earlier_s| expiry_s < earlier_s).then_some(expiry_s)
}

/// Why a date may not be set: the limit, for the reply's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The latest that may be set, UTC seconds.
    Latest(i64),
    /// `never` may not be set.
    MustExpire,
}

/// The expiry that `date` sets at a path below `way_above`, where policy and ancestors let it; none: never.
///
/// # Errors
/// [`Limit`]: the earliest bound that it breaks. A date is never clamped.
pub fn allowed(date: ExpiryDate, rules: ExpiryRules, way_above: &[RecordAt], now: Now) -> Result<Option<i64>, Limit> {
    let policy_s = rules.max_s.map(|span_s| after(now, span_s));
    let latest_s = earlier(policy_s, effective(way_above));
    match (date, latest_s) {
        (ExpiryDate::At(at_s), Some(latest_s)) if at_s > latest_s => Err(Limit::Latest(latest_s)),
        (ExpiryDate::Never, Some(latest_s)) => Err(Limit::Latest(latest_s)),
        (ExpiryDate::Never, None) if rules.required => Err(Limit::MustExpire),
        (ExpiryDate::Never, None) => Ok(None),
        (ExpiryDate::At(at_s), _) => Ok(Some(at_s)),
    }
}

/// The date of its own that what stands at a path has, which goes where it goes; none: none.
#[must_use]
pub fn carried(state: &PathState, path: &VirtualPath) -> Option<i64> {
    let of_file = state.target.as_ref().and_then(|info| info.expiry_s);
    of_file.or_else(|| own(&state.records, path).and_then(|record| record.expiry_s))
}

/// Whether what was found at `from` would live longer at `to`, where it has the date `own_s` of its own (DESIGN 4: a
/// move to where it would is refused).
#[must_use]
pub fn outlives_by_move(from: &PathState, to: &VirtualPath, way_to: &[RecordAt], own_s: Option<i64>) -> bool {
    let new_s = earlier(own_s, effective(above(way_to, to)));
    match (effective_of(from), new_s) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old_s), Some(new_s)) => new_s > old_s,
    }
}

/// When a download that is admitted now must end, on the monotonic clock; none: never.
#[must_use]
pub fn drained_ms(expiry_s: Option<i64>, drain_ms: u64, now: Now) -> Option<u64> {
    let left_s = u64::try_from(expiry_s?.saturating_sub(now.utc_s)).unwrap_or(0);
    Some(now.monotonic_ms.saturating_add(left_s.saturating_mul(1000)).saturating_add(drain_ms))
}

fn after(now: Now, span_s: u64) -> i64 {
    now.utc_s.saturating_add(i64::try_from(span_s).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FileKind, Token, Tombstone};
    use crate::settings::Keep;
    use alloc::string::ToString;
    use alloc::vec;
    use alloc::vec::Vec;

    const NOW: Now = Now { monotonic_ms: 5_000, utc_s: 1_000 };

    fn at(depth: usize, expiry_s: Option<i64>) -> RecordAt {
        let record =
            Record { version: 1, owner: "anonymous".to_string(), created_s: 0, expiry_s, token: Token([0; 16]) };
        RecordAt { depth, record }
    }

    fn path(text: &str) -> VirtualPath {
        VirtualPath::parse(text).unwrap()
    }

    fn info() -> FileInfo {
        FileInfo {
            kind: FileKind::Directory,
            size_bytes: 0,
            modified_s: 0,
            unique: "1".to_string(),
            mode: None,
            created_s: None,
            expiry_s: None,
        }
    }

    #[test]
    fn a_path_expires_at_the_second_of_its_date_and_with_its_ancestors() {
        let state = |records: Vec<RecordAt>| PathState { records, target: Some(info()), ..PathState::default() };
        let expired = |records| judge(&state(records), NOW) == Judgement::Expired;
        assert!(!expired(vec![at(1, Some(1_001))]));
        assert!(expired(vec![at(1, Some(1_000))]));
        assert!(expired(vec![at(1, Some(999)), at(2, None)]));
        assert!(expired(vec![at(1, None), at(2, Some(1))]));
        assert!(!expired(vec![]));
    }

    #[test]
    fn a_tombstone_tells_expired_from_missing() {
        let tombstone = Some(Tombstone { expiry_s: 900 });
        assert_eq!(judge(&PathState { tombstone, ..PathState::default() }, NOW), Judgement::Expired);
        assert_eq!(judge(&PathState::default(), NOW), Judgement::Missing);
    }

    #[test]
    fn a_date_keeps_to_policy_and_ancestors_or_is_refused() {
        let free = ExpiryRules::default();
        let strict = ExpiryRules { max_s: Some(100), required: true, ..ExpiryRules::default() };
        let must = ExpiryRules { required: true, ..ExpiryRules::default() };
        let set = |rules: &ExpiryRules, way: &[RecordAt], date| allowed(date, *rules, way, NOW);
        assert_eq!(set(&free, &[], ExpiryDate::Never), Ok(None));
        assert_eq!(set(&free, &[], ExpiryDate::At(1_000)), Ok(Some(1_000)));
        assert_eq!(set(&free, &[at(1, Some(1_500))], ExpiryDate::At(1_500)), Ok(Some(1_500)));
        assert_eq!(set(&free, &[at(1, Some(1_500))], ExpiryDate::At(1_501)), Err(Limit::Latest(1_500)));
        assert_eq!(set(&free, &[at(1, Some(1_500))], ExpiryDate::Never), Err(Limit::Latest(1_500)));
        assert_eq!(set(&strict, &[], ExpiryDate::At(1_100)), Ok(Some(1_100)));
        assert_eq!(set(&strict, &[], ExpiryDate::At(1_101)), Err(Limit::Latest(1_100)));
        assert_eq!(set(&must, &[], ExpiryDate::Never), Err(Limit::MustExpire));
    }

    #[test]
    fn a_new_path_gets_the_default_only_at_the_top() {
        let rules = ExpiryRules { default_s: Some(60), ..ExpiryRules::default() };
        assert_eq!(initial(rules, &[], NOW), Some(1_060));
        assert_eq!(initial(rules, &[at(1, None)], NOW), None);
        assert_eq!(initial(ExpiryRules::default(), &[], NOW), None);
        let contradictory = ExpiryRules { default_s: Some(60), max_s: Some(50), ..ExpiryRules::default() };
        assert_eq!(initial(contradictory, &[], NOW), Some(NOW.utc_s + 50));
        let bounded = ExpiryRules { max_s: Some(u64::MAX), ..ExpiryRules::default() };
        assert_eq!(initial(bounded, &[], NOW), Some(i64::MAX));
    }

    #[test]
    fn a_move_never_makes_anything_live_longer() {
        let outlives = |way_from: &[RecordAt], way_to: &[RecordAt]| {
            let from = PathState { records: way_from.to_vec(), target: Some(info()), ..PathState::default() };
            outlives_by_move(&from, &path("/c/d"), way_to, carried(&from, &path("/a/b")))
        };
        assert!(!outlives(&[at(1, None)], &[]));
        assert!(!outlives(&[at(1, None), at(2, Some(9))], &[]));
        assert!(outlives(&[at(1, Some(9))], &[]));
        assert!(outlives(&[at(1, Some(9)), at(2, None)], &[at(1, Some(10))]));
        assert!(!outlives(&[at(1, Some(9))], &[at(1, Some(9))]));
        assert!(!outlives(&[at(1, Some(9))], &[at(1, Some(8))]));
        assert!(outlives(&[at(1, Some(9)), at(2, Some(12))], &[at(1, Some(20))]));
    }

    #[test]
    fn a_file_carries_its_own_date_along_and_gains_nothing_by_it() {
        let file = |expiry_s| FileInfo { kind: FileKind::File, expiry_s, ..info() };
        let from = |way: &[RecordAt], own_s| PathState {
            records: way.to_vec(),
            target: Some(file(own_s)),
            ..PathState::default()
        };
        let outlives = |from: &PathState| outlives_by_move(from, &path("/f"), &[], carried(from, &path("/a/f")));
        assert!(!outlives(&from(&[at(1, Some(9))], Some(8))));
        assert!(outlives(&from(&[at(1, Some(7))], Some(8))));
        assert!(!outlives(&from(&[], Some(8))));
    }

    #[test]
    fn a_file_is_kept_as_long_as_the_deepest_place_says() {
        let keep = |path_of: &str, life_s| Keep { path: path(path_of), life_s };
        let settings =
            Settings { keep: vec![keep("/", 100), keep("/scans", 10), keep("/scans/old", 500)], ..Settings::default() };
        let of = |at: &str, way: &[RecordAt]| of_file(&settings, &path(at), way, NOW);
        assert_eq!(of("/f", &[]), Some(1_100));
        assert_eq!(of("/scans", &[]), Some(1_100), "a file of that name lies in the root");
        assert_eq!(of("/scans/f", &[]), Some(1_010));
        assert_eq!(of("/scans/x/f", &[at(2, Some(1_011))]), Some(1_010));
        assert_eq!(of("/scans/x/f", &[at(2, Some(1_010))]), None, "the storage path ends no later");
        assert_eq!(of("/scans/old/f", &[at(3, None)]), Some(1_500));
        assert_eq!(of_file(&Settings::default(), &path("/f"), &[], NOW), None);
    }

    #[test]
    fn an_expired_file_gives_its_name_away_and_an_expired_path_does_not() {
        let file = |expiry_s| Some(FileInfo { kind: FileKind::File, expiry_s, ..info() });
        let state =
            |way: &[RecordAt], own_s| PathState { records: way.to_vec(), target: file(own_s), ..PathState::default() };
        for (way, own_s, judged, name_judged) in [
            (vec![], Some(1_001), None, None),
            (vec![], Some(1_000), Some(Judgement::Expired), Some(Judgement::Missing)),
            (vec![at(1, Some(1_000))], Some(1_000), Some(Judgement::Expired), Some(Judgement::Expired)),
            (vec![at(1, Some(1_000))], Some(2_000), Some(Judgement::Expired), Some(Judgement::Expired)),
        ] {
            let state = state(&way, own_s);
            let live = || Judgement::Live(state.target.as_ref().unwrap());
            assert_eq!(judge(&state, NOW), judged.unwrap_or_else(live));
            assert_eq!(judge_name(&state, NOW), name_judged.unwrap_or_else(live));
        }
    }

    #[test]
    fn a_drained_download_ends_so_long_after_the_date() {
        assert_eq!(drained_ms(Some(1_010), 500, NOW), Some(15_500));
        assert_eq!(drained_ms(Some(1), 500, NOW), Some(5_500));
        assert_eq!(drained_ms(Some(i64::MAX), u64::MAX, NOW), Some(u64::MAX));
        assert_eq!(drained_ms(None, 500, NOW), None);
    }
}
