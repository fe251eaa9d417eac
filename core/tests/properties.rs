//! What holds for every input, as far as chance finds one that breaks it.

use mayfly_core::action::NewFacts;
use mayfly_core::date::{ExpiryDate, is_date_form, parse_time_val, rfc3339, time_val};
use mayfly_core::digest::DigestAlgorithm;
use mayfly_core::listing::facts::FactSet;
use mayfly_core::listing::glob::{Glob, PatternPath};
use mayfly_core::listing::options::ListingRequest;
use mayfly_core::time::Now;
use mayfly_core::wire::command::{Command, EpsvArgument, HostName, Secret, TypeCode, parse};
use mayfly_core::wire::reply::Form;
use mayfly_core::{ascii, data, limits, listing};
use proptest::option;
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};

#[path = "../../fuzz/checks/command.rs"]
mod command;

/// A path as it may follow a verb on the text wire.
fn path() -> impl Strategy<Value = String> {
    "[^\r\n\0]{1,40}"
}

fn word() -> impl Strategy<Value = String> {
    "[^ \r\n\0]{1,20}"
}

fn listing_request() -> impl Strategy<Value = ListingRequest> {
    ("(-[a-zA-Z1-]{0,4} ?){0,3}", option::of(path()))
        .prop_map(|(options, path)| ListingRequest::parse(&[options, path.unwrap_or_default()].concat()))
}

/// A path that `SITE EXPIRY` asks about: its last word is not taken for a date.
fn path_without_date() -> impl Strategy<Value = String> {
    path().prop_filter("ends like a date", |path| {
        let words = path.trim_end_matches(' ').rsplit_once(' ');
        !words.is_some_and(|(path, word)| !path.is_empty() && is_date_form(word))
    })
}

fn a_date() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("now".to_owned()),
        Just("never".to_owned()),
        "[0-9]{1,25}[smhd]",
        "P[0-9]{1,5}D",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "[0-9]{14}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?([Zz]|[+-][01][0-9]:[0-5][0-9])",
    ]
}

fn offset() -> impl Strategy<Value = u64> {
    0..=limits::OFFSET_MAX
}

fn time() -> impl Strategy<Value = i64> {
    YEAR_0..=YEAR_9999
}

fn fixed() -> impl Strategy<Value = Command> {
    prop::sample::select(vec![
        Command::Quit,
        Command::Noop,
        Command::Syst,
        Command::Feat,
        Command::OptsUtf8(true),
        Command::OptsUtf8(false),
        Command::Type(TypeCode::Ascii),
        Command::Type(TypeCode::Image),
        Command::ModeStream,
        Command::StruFile,
        Command::Pwd,
        Command::Cdup,
        Command::SiteWhoami,
        Command::Avbl(None),
        Command::Dsiz(None),
        Command::Pasv,
        Command::Abor,
        Command::Epsv(EpsvArgument::Any),
        Command::Epsv(EpsvArgument::Ipv4),
        Command::Epsv(EpsvArgument::Ipv6),
        Command::Epsv(EpsvArgument::All),
    ])
}

fn with_path() -> impl Strategy<Value = Command> {
    let make: Vec<fn(String) -> Command> = vec![
        Command::User,
        Command::Cwd,
        Command::Mkd,
        Command::Rmd,
        Command::Dele,
        Command::Rnfr,
        Command::Rnto,
        Command::Retr,
        Command::Stor,
        Command::Appe,
        Command::Size,
        Command::Mdtm,
        Command::SiteToken,
        Command::Hash,
        Command::Clnt,
        Command::Csid,
        |path| Command::Avbl(Some(path)),
        |path| Command::Dsiz(Some(path)),
        |path| Command::Stat(Some(ListingRequest::parse(&path))),
        |path| Command::Mlst(Some(path)),
        |path| Command::Mlsd(Some(path)),
        |path| Command::Pass(Secret(path)),
    ];
    (prop::sample::select(make), path()).prop_map(|(make, path)| make(path))
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        fixed(),
        with_path(),
        listing_request().prop_map(Command::List),
        listing_request().prop_map(Command::Nlst),
        "[a-zA-Z.;]{0,40}".prop_map(|facts| Command::OptsMlst(FactSet::parse(&facts).expect("no blank is in it"))),
        option::of(word()).prop_map(Command::Help),
        offset().prop_map(Command::Rest),
        offset().prop_map(Command::Allo),
        any::<SocketAddrV4>().prop_map(|address| Command::Port { extended: false, address: address.into() }),
        any::<SocketAddr>().prop_map(|address| {
            Command::Port { extended: true, address: SocketAddr::new(address.ip(), address.port()) }
        }),
        (time(), path()).prop_map(|(modified_s, path)| Command::Mfmt { modified_s, path }),
        facts_and_digests(),
        (path(), word()).prop_map(|(path, date)| Command::Expiry { site: false, path, date: Some(date) }),
        (path(), a_date()).prop_map(|(path, date)| Command::Expiry { site: true, path, date: Some(date) }),
        path_without_date().prop_map(|path| Command::Expiry { site: true, path, date: None }),
        (path(), word()).prop_map(|(path, token)| Command::SiteClaim { path, token: Secret(token) }),
    ]
}

fn facts_and_digests() -> impl Strategy<Value = Command> {
    let algorithm = || prop::sample::select(DigestAlgorithm::ALL.to_vec());
    let range = (offset(), offset()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let facts = (time(), option::of(time()), option::of(0..=0o777_u16)).prop_map(|(modified_s, created_s, mode)| {
        NewFacts { modified_s: Some(modified_s), created_s, mode, accessed_s: None }
    });
    prop_oneof![
        (time(), path()).prop_map(|(created_s, path)| Command::Mfct { created_s, path }),
        (facts, path()).prop_map(|(facts, path)| Command::Mff { facts: Box::new(facts), path }),
        (time(), option::of(time()), path()).prop_map(|(modified_s, accessed_s, path)| Command::SiteUtime {
            modified_s,
            accessed_s,
            path
        }),
        (0..=0o777_u16, path()).prop_map(|(mode, path)| Command::SiteChmod { mode, path }),
        option::of(any::<u32>()).prop_map(Command::SiteIdle),
        option::of(algorithm()).prop_map(Command::OptsHash),
        (algorithm(), path(), option::of(range)).prop_map(|(algorithm, path, range)| Command::XHash {
            algorithm,
            path,
            range
        }),
        (path(), prop::collection::vec(path(), 1..5)).prop_map(|(target, parts)| Command::Comb { target, parts }),
        option::of("[a-zA-Z0-9]{1,8}(-[a-zA-Z0-9]{1,8}){0,2}").prop_map(Command::Lang),
        "[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]{1,9}){0,3}".prop_map(|name| Command::Host(HostName::Name(name))),
        any::<IpAddr>().prop_map(|ip| Command::Host(HostName::Ip(ip))),
    ]
}

/// A line that looks like FTP: a verb of some kind, and something after it.
fn a_line() -> impl Strategy<Value = Vec<u8>> {
    let verb = prop_oneof![any_command().prop_map(|command| command.encode()), "[A-Za-z]{3,9}", Just("{".to_owned())];
    (verb, "[ -~\r\0\u{7f}-\u{ff}]{0,30}", "\r?\n").prop_map(|(verb, rest, end)| format!("{verb}{rest}{end}").into())
}

proptest! {
    #[test]
    fn any_bytes_keep_the_laws_of_the_wire(input in prop::collection::vec(any::<u8>(), 0..300)) {
        command::check(&input);
    }

    #[test]
    fn lines_like_ftp_keep_the_laws_of_the_wire(lines in prop::collection::vec(a_line(), 0..4)) {
        command::check(&lines.concat());
    }

    #[test]
    fn a_command_reads_back_as_it_was(command in any_command()) {
        let text = command.encode();
        let request = parse(text.as_bytes());
        // A text line that begins with a brace would be JSON, but verbs begin every line.
        prop_assert_eq!(request.form, Form::Text);
        prop_assert_eq!(request.command.as_ref(), Ok(&command));
        prop_assert_eq!(parse(command.encode_as(Form::Json).as_bytes()).command, Ok(command));
    }

    #[test]
    fn a_date_is_never_before_now(text in prop_oneof![a_date(), ".{0,30}"], utc_s in time()) {
        let now = Now { monotonic_ms: 0, utc_s };
        if let Ok(ExpiryDate::At(at)) = ExpiryDate::parse(&text, now) {
            prop_assert!(at >= utc_s);
            prop_assert!(is_date_form(&text));
        }
    }

    #[test]
    fn an_instant_reads_back_as_it_was(utc_s in time()) {
        prop_assert_eq!(parse_time_val(&time_val(utc_s)), Some(utc_s));
        let now = Now { monotonic_ms: 0, utc_s: 0 };
        let shown = ExpiryDate::parse(&rfc3339(utc_s), now);
        prop_assert_eq!(shown.is_ok(), utc_s >= 0);
        if let Ok(date) = shown {
            prop_assert_eq!(date, ExpiryDate::At(utc_s));
        }
    }

    #[test]
    fn a_later_text_form_is_a_later_instant(a in time(), b in time()) {
        prop_assert_eq!(time_val(a).cmp(&time_val(b)), a.cmp(&b));
        prop_assert_eq!(rfc3339(a).cmp(&rfc3339(b)), a.cmp(&b));
    }

    #[test]
    fn data_addresses_read_back(address in any::<SocketAddrV4>(), text in ".{0,40}") {
        prop_assert_eq!(data::read_port_argument(&data::port_argument(address)), Some(address));
        prop_assert_eq!(data::read_eprt_argument(&data::eprt_argument(address.into())), Ok(address.into()));
        let listening = Some(address).filter(|address| address.port() != 0);
        prop_assert_eq!(data::read_pasv_text(&data::pasv_text(address)), listening);
        prop_assert_eq!(data::read_epsv_text(&data::epsv_text(address.port())), listening.map(|a| a.port()));
        let _ = (data::read_pasv_text(&text), data::read_epsv_text(&text), data::read_eprt_argument(&text));
    }

    #[test]
    fn line_ends_translate_alike_however_cut(
        input in prop::collection::vec(prop::sample::select(b"a\r\n".to_vec()), 0..40),
        cut in 1_usize..40,
    ) {
        let to_wire = |piece_bytes: usize| {
            let (mut translator, mut out) = (ascii::ToWire::default(), Vec::new());
            input.chunks(piece_bytes).for_each(|chunk| translator.translate(chunk, &mut out));
            out
        };
        let from_wire = |wire: &[u8], piece_bytes: usize| {
            let (mut translator, mut out) = (ascii::FromWire::default(), Vec::new());
            wire.chunks(piece_bytes).for_each(|chunk| translator.translate(chunk, &mut out));
            translator.finish(&mut out);
            out
        };
        prop_assert_eq!(to_wire(cut), to_wire(40));
        prop_assert_eq!(from_wire(&input, cut), from_wire(&input, 40));
        let wire = String::from_utf8(to_wire(40)).unwrap();
        prop_assert!(!wire.replace("\r\n", "").contains('\n'), "a lone line feed on the wire");
        prop_assert_eq!(from_wire(wire.as_bytes(), cut), wire.replace("\r\n", "\n").into_bytes());
    }

    #[test]
    fn no_name_ends_its_line(name in any::<String>()) {
        let mut line = String::new();
        listing::push_name(&mut line, &name);
        prop_assert!(!line.contains(char::is_control));
    }

    #[test]
    fn a_pattern_means_what_its_letters_say(pattern in "[ab*?.]{0,8}", name in "[ab.]{0,8}") {
        if let Some(glob) = Glob::parse(&pattern) {
            let hides = name.starts_with('.') && !pattern.starts_with('.');
            prop_assert_eq!(glob.matches(&name), !hides && means(pattern.as_bytes(), name.as_bytes()));
        }
    }

    #[test]
    fn any_pattern_is_read_and_matched(pattern in r"[\\x\[\]{},*?!^/a-c-]{0,40}", name in r"[a-c\\\[]{0,20}") {
        if let Some(glob) = Glob::parse(&pattern) {
            let _ = glob.matches(&name);
        }
        let _ = PatternPath::parse(&pattern);
    }
}

/// Tries every way that a star can go.
fn means(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|taken| means(rest, &name[taken..])),
        ([letter, pattern @ ..], [c, name @ ..]) => (*letter == b'?' || letter == c) && means(pattern, name),
        _ => false,
    }
}

const YEAR_0: i64 = -62_167_219_200;
const YEAR_9999: i64 = 253_402_300_799;
