//! What is on the wire: lines, commands, replies, and their JSON forms.

pub mod command;
pub mod json;
pub mod line;
pub mod reply;
pub mod text;
