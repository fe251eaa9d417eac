//! Every command with every kind of bad input, on the core alone, on std and on smol; in clear and through TLS.

use mayfly_core::wire::command::table::COMMANDS;
use mayfly_tests::bad_input::meet_all;
use mayfly_tests::stage::Stage;
use mayfly_tests::stage::core::{CoreStage, Feeding, Said};
use mayfly_tests::stage::net::NetStage;
use mayfly_tests::transcript::script::{Channel, Setup};

#[test]
fn on_the_core() {
    check(Channel::Clear, |setup| Box::new(CoreStage::new(setup, Feeding::Whole, Said::default()).expect("a stage")));
}

#[test]
fn on_std() {
    check(Channel::Clear, |setup| Box::new(NetStage::<mayfly_std::listen::Server>::new(setup).expect("a stage")));
}

#[test]
fn on_smol() {
    check(Channel::Clear, |setup| Box::new(NetStage::<mayfly_smol::Server>::new(setup).expect("a stage")));
}

#[test]
fn through_tls_on_the_core() {
    check(Channel::Tls, |setup| Box::new(CoreStage::new(setup, Feeding::Whole, Said::default()).expect("a stage")));
}

#[test]
fn through_tls_on_std() {
    check(Channel::Tls, |setup| Box::new(NetStage::<mayfly_std::listen::Server>::new(setup).expect("a stage")));
}

#[test]
fn through_tls_on_smol() {
    check(Channel::Tls, |setup| Box::new(NetStage::<mayfly_smol::Server>::new(setup).expect("a stage")));
}

fn check(channel: Channel, stage: impl Fn(&Setup) -> Box<dyn Stage>) {
    let mut stage = stage(&setup(channel));
    match meet_all(stage.as_mut(), channel) {
        Ok(met) => assert!(met >= 16 * COMMANDS.len(), "every row meets every kind"),
        Err(faults) => panic!("{faults}"),
    }
    stage.finish().expect("the server ends, with nothing left to say");
}

fn setup(channel: Channel) -> Setup {
    let mut setup = Setup::default();
    setup.settings.insert("anonymous_rights".to_owned(), "all".to_owned());
    if channel == Channel::Tls {
        setup.settings.insert("tls".to_owned(), "on".to_owned());
    }
    setup
}
