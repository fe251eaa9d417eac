//! Plays every transcript on the core alone, fed whole and byte by byte; what it says must be the same.
//! `UPDATE=1` writes down what it says.

use mayfly_tests::harness;
use mayfly_tests::stage::core::{CoreStage, Feeding, Said};
use mayfly_tests::transcript::script::Script;
use mayfly_tests::transcript::{file_of, player};
use std::process::ExitCode;
use std::sync::PoisonError;
use std::{env, fs};

fn main() -> ExitCode {
    if env::var_os("UPDATE").is_some() {
        return harness::run("core", takes, update);
    }
    harness::run("core", takes, |script| {
        let whole = play(script, Feeding::Whole)?;
        let bytes = play(script, Feeding::Bytes).map_err(|fault| format!("fed byte by byte: {fault}"))?;
        match whole.iter().zip(&bytes).find(|(whole, bytes)| whole != bytes) {
            Some((whole, bytes)) => {
                Err(format!("{}: fed whole {whole:?}\nfed byte by byte {bytes:?}", script.path.display()))
            }
            None if whole.len() != bytes.len() => Err("fed byte by byte it says more or less".to_owned()),
            None => Ok(()),
        }
    })
}

fn takes(script: &Script) -> bool {
    !script.setup.disk_only
}

fn play(script: &Script, feeding: Feeding) -> Result<Vec<(u8, String)>, String> {
    let said = Said::default();
    let stage = CoreStage::new(&script.setup, feeding, said.clone())?;
    player::play(script, Box::new(stage))?;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(said.clone())
}

fn update(script: &Script) -> Result<(), String> {
    let stage = CoreStage::new(&script.setup, Feeding::Whole, Said::default())?;
    let text = player::update(script, Box::new(stage))?;
    fs::write(file_of(script), text).map_err(|error| error.to_string())
}
