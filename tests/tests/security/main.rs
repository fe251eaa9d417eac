//! Defences, each shown to hold: a test here fails where its defence is taken out.

mod confined;
