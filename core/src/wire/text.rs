//! The reply texts: the seed's, exact, and the rest in its voice.

/// The greeting.
pub const WELCOME: &str = "Welcome to the FTP Server";
