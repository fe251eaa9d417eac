//! Every bound of the core, named. What an operator may change stands in [`crate::settings::Settings`] instead.

/// Bytes of one control line, without its line end, whatever the settings say. Longer: `500` once, and the rest of the line
/// is dropped.
pub const LINE_BYTES_MAX: usize = 8192;
/// Bytes of unanswered control input that a session holds at least before it wants no more: the longest line ends in them.
pub const INPUT_BYTES_MIN: usize = 2 * LINE_BYTES_MAX;
/// Lines that wait while a command is being answered or a transfer runs, whatever the settings say.
pub const LINES_QUEUED_MAX: usize = 128;
/// Telnet options of a peer that wait for their refusal; more are dropped.
pub const TELNET_REFUSALS_MAX: usize = 32;
/// Actions that one event may give rise to.
pub const ACTIONS_PER_EVENT_MAX: usize = 256;
/// Bytes of a virtual path.
pub const PATH_BYTES_MAX: usize = 4096;
/// Components of a virtual path.
pub const PATH_DEPTH_MAX: usize = 128;
/// Bytes of one name, as file systems have it.
pub const NAME_BYTES_MAX: usize = 255;
/// Entries in one listing batch.
pub const LISTING_BATCH_ENTRIES: u32 = 1024;
/// Entries in one batch where a directory is gone through for the directories in it.
pub const LISTING_BATCH_DIRECTORIES: u32 = 64;
/// From so many bytes on, a listing's text is sent.
pub const LISTING_TEXT_BYTES: usize = 64 * 1024;
/// Directories that one pattern with more than one component searches.
pub const GLOB_DIRECTORIES_MAX: u32 = 10_000;
/// What matching one batch against a pattern may cost for each letter of its names, in letters compared: a costly
/// pattern gets smaller batches, so that none holds other sessions up.
pub const GLOB_BATCH_COST: usize = 16 * 1024;
/// Names that one pattern with more than one component looks at: with `..` in it, few directories are many.
pub const GLOB_NAMES_MAX: u64 = 10_000_000;
/// Bytes of one component that is a pattern.
pub const GLOB_BYTES_MAX: usize = 255;
/// Words that the braces of one component may stand for.
pub const GLOB_WORDS_MAX: usize = 32;
/// Components of one path that may be patterns.
pub const GLOB_STEPS_MAX: usize = 8;
/// Names that `STAT` of a directory shows over the control connection.
pub const STAT_LINES_MAX: usize = 1000;
/// Storage paths that a session may hold as made or claimed; the oldest is forgotten first.
pub const CLAIMS_MAX: usize = 1024;
/// Broken uploads that a session remembers as its own.
pub const BROKEN_UPLOADS_MAX: usize = 64;
/// Milliseconds for the connection to a client's default data port, which most clients do not listen on.
pub const DEFAULT_PORT_MS_MAX: u64 = 5_000;
/// How often a step is tried anew when what it was judged on has changed, before `450`.
pub const RETRIES_MAX: u32 = 8;
/// Bytes of a user name.
pub const USER_BYTES_MAX: usize = 256;
/// Bytes of one reply that a client accepts, over all its lines.
pub const REPLY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one listing that a client accepts.
pub const CLIENT_LISTING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Entries of one tree that a client lists.
pub const CLIENT_TREE_ENTRIES_MAX: usize = 1_000_000;
/// Retries in one client call, also where each made some headway.
pub const CLIENT_RETRIES_MAX: u32 = 1000;
/// Paths that a reaper holds in its index; beyond it the latest to expire are dropped until the next scan.
pub const REAPER_INDEX_MAX: usize = 100_000;
/// Records in one batch of the reaper's scan.
pub const SCAN_BATCH_RECORDS: u32 = 512;
/// The largest offset or size: 2^53 - 1 would bind JSON readers, i64 binds file systems; the smaller one rules.
pub const OFFSET_MAX: u64 = (1 << 53) - 1;
/// Bytes that one step of a reading takes (HASH, SIZE in TYPE A, COMB): after each the session listens.
pub const READING_STEP_BYTES: u64 = 16 * 1024 * 1024;
/// Parts of one COMB.
pub const COMB_PARTS_MAX: usize = 100;
/// Names that DSIZ looks at.
pub const TREE_ENTRIES_MAX: u64 = 1_000_000;
/// Directories that DSIZ keeps in mind to be looked at.
pub const TREE_PENDING_MAX: usize = 10_000;
