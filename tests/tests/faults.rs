//! `kill -9`, again and again: nothing acknowledged is lost, nothing half done shows, nothing expired can be read.

use mayfly_tests::faults::campaign;
use mayfly_tests::process::Driver;
use mayfly_tests::with_each_driver;

with_each_driver! { twenty_kills_lose_nothing }

fn twenty_kills_lose_nothing(driver: Driver) {
    let figures = campaign(driver, 20, 20_261_123);
    eprintln!("{figures:?}");
    // Without these it would have shown nothing.
    assert!(figures.acknowledged > 1_000, "{figures:?}");
    assert!(figures.unanswered > 20 && figures.expired > 10 && figures.refused > 10, "{figures:?}");
}
