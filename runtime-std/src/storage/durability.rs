//! How durable an upload is when it is acknowledged.

/// How much of an upload is on the disk for good when 226 is sent (DESIGN 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Whatever the system has written by then.
    None,
    /// The file's bytes (`fdatasync`).
    #[default]
    Data,
    /// The file's bytes and its name (`fsync` of the directory too).
    Full,
}
