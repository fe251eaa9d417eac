//! `tests/faults [--driver NAME] [--kills N] [--seed N]`: kills servers at random moments, and looks each time at what is
//! left. Without flags: 200 kills of each driver.

#![expect(clippy::print_stdout, reason = "figures for people")]

use mayfly_tests::faults::campaign;
use mayfly_tests::process::Driver;
use std::env;
use std::process::exit;

fn main() {
    let (mut drivers, mut kills, mut seed) = (vec![Driver::Std, Driver::Smol], 200, 1);
    let mut words = env::args().skip(1).filter(|word| word != "--bench");
    while let Some(flag) = words.next() {
        let value = words.next().unwrap_or_default();
        match (flag.as_str(), value.parse()) {
            ("--driver", _) => drivers.retain(|driver| driver.name() == value),
            ("--kills", Ok(number)) => kills = number,
            ("--seed", Ok(number)) => seed = number,
            _ => {
                println!("usage: tests/faults [--driver mayfly-std|mayfly-smol] [--kills N] [--seed N]");
                exit(2);
            }
        }
    }
    for driver in drivers {
        let figures = campaign(driver, kills, seed as u64);
        println!("{}: {figures:?}", driver.name());
    }
}
