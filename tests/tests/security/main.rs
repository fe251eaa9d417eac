//! Defences, each shown to hold: a test here fails where its defence is taken out.

mod bounce;
mod commands;
mod confined;
mod ground;
mod races;
mod traversal;
mod wire;
