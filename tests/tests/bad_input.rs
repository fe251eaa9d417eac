//! Every command with every kind of bad input, on the core alone, on std and on smol.

use mayfly_core::wire::command::table::COMMANDS;
use mayfly_tests::bad_input::meet_all;
use mayfly_tests::stage::Stage;
use mayfly_tests::stage::core::{CoreStage, Feeding, Said};
use mayfly_tests::stage::net::NetStage;
use mayfly_tests::transcript::script::Setup;

#[test]
fn on_the_core() {
    check(Box::new(CoreStage::new(&setup(), Feeding::Whole, Said::default()).expect("a stage")));
}

#[test]
fn on_std() {
    check(Box::new(NetStage::<mayfly_std::listen::Server>::new(&setup()).expect("a stage")));
}

#[test]
fn on_smol() {
    check(Box::new(NetStage::<mayfly_smol::Server>::new(&setup()).expect("a stage")));
}

fn check(mut stage: Box<dyn Stage>) {
    match meet_all(stage.as_mut()) {
        Ok(met) => assert!(met >= 16 * COMMANDS.len(), "every row meets every kind"),
        Err(faults) => panic!("{faults}"),
    }
    stage.finish().expect("the server ends, with nothing left to say");
}

fn setup() -> Setup {
    let settings = [("anonymous_rights".to_owned(), "all".to_owned())].into();
    Setup { settings, ..Setup::default() }
}
