use super::*;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

#[track_caller]
fn reads(line: &str, expected: &Command) {
    let request = parse(line.as_bytes());
    assert_eq!(request.form, Form::Text, "{line}");
    assert_eq!(request.command.as_ref(), Ok(expected), "{line}");
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let lower = format!("{} {argument}", verb.to_ascii_lowercase());
    assert_eq!(parse(lower.as_bytes()).command.as_ref(), Ok(expected), "{lower}");
    let json = json::encode_request(verb, argument);
    let in_json = Request { form: Form::Json, row: request.row, unknown: None, command: Ok(expected.clone()) };
    assert_eq!(parse(json.as_bytes()), in_json, "{json}");
}

#[track_caller]
fn refuses(code: u16, lines: &[&str]) {
    for line in lines {
        let command = parse(line.as_bytes()).command;
        assert_eq!(command.as_ref().map_err(|reply| reply.code), Err(code), "{line:?}");
    }
}

fn path(text: &str) -> String {
    text.into()
}

#[test]
fn the_seeds_dialogue() {
    reads("OPTS UTF8 ON", &Command::OptsUtf8(true));
    reads("USER anonymous", &Command::User(path("anonymous")));
    reads("PASS rNrKYTX9g7z3RgJRmxWuGHbeu", &Command::Pass(Secret(path("rNrKYTX9g7z3RgJRmxWuGHbeu"))));
    reads("MKD scans", &Command::Mkd(path("scans")));
    let date = Some(path("2030-01-01"));
    reads("SETEXPIRY scans 2030-01-01", &Command::Expiry { site: false, path: path("scans"), date });
    reads("CWD scans", &Command::Cwd(path("scans")));
    let address = "192.168.1.65:27173".parse().unwrap();
    reads("PORT 192,168,1,65,106,37", &Command::Port { extended: false, address });
    reads("STOR 1.png", &Command::Stor(path("1.png")));
    reads("RETR 1.png", &Command::Retr(path("1.png")));
    reads("LIST scans", &Command::List(ListingRequest::of(Some("scans"))));
    reads("QUIT", &Command::Quit);
}

#[test]
fn verbs_without_an_argument_take_none() {
    for (verb, command) in [
        ("QUIT", Command::Quit),
        ("NOOP", Command::Noop),
        ("SYST", Command::Syst),
        ("FEAT", Command::Feat),
        ("PWD", Command::Pwd),
        ("XPWD", Command::Pwd),
        ("CDUP", Command::Cdup),
        ("XCUP", Command::Cdup),
        ("PASV", Command::Pasv),
        ("ABOR", Command::Abor),
    ] {
        reads(verb, &command);
        reads(&format!("{verb}  "), &command);
        refuses(501, &[&format!("{verb} x")]);
    }
}

#[test]
fn a_path_is_all_that_follows_one_blank() {
    type Make = fn(String) -> Command;
    let verbs: [(&str, Make); 15] = [
        ("CWD", Command::Cwd),
        ("XCWD", Command::Cwd),
        ("MKD", Command::Mkd),
        ("XMKD", Command::Mkd),
        ("RMD", Command::Rmd),
        ("XRMD", Command::Rmd),
        ("DELE", Command::Dele),
        ("RNFR", Command::Rnfr),
        ("RNTO", Command::Rnto),
        ("RETR", Command::Retr),
        ("STOR", Command::Stor),
        ("APPE", Command::Appe),
        ("SIZE", Command::Size),
        ("MDTM", Command::Mdtm),
        ("SITE TOKEN", Command::SiteToken),
    ];
    for (verb, make) in verbs {
        for argument in ["a", "/a/b c/ü", " a  b ", " ", "a\rb\u{7}", "-la", "..", "{"] {
            let line = format!("{verb} {argument}");
            assert_eq!(parse(line.as_bytes()).command, Ok(make(path(argument))), "{line:?}");
        }
        refuses(501, &[verb, &format!("{verb} ")]);
    }
}

#[test]
fn a_path_may_be_missing_where_the_working_directory_will_do() {
    type Make = fn(Option<String>) -> Command;
    let verbs: [(&str, Make); 5] = [
        ("STAT", |path| Command::Stat(path.map(|path| ListingRequest::of(Some(&path))))),
        ("LIST", |path| Command::List(ListingRequest::of(path.as_deref()))),
        ("NLST", |path| Command::Nlst(ListingRequest::of(path.as_deref()))),
        ("MLST", Command::Mlst),
        ("MLSD", Command::Mlsd),
    ];
    for (verb, make) in verbs {
        reads(verb, &make(None));
        reads(&format!("{verb} "), &make(None));
        reads(&format!("{verb} my scans "), &make(Some(path("my scans "))));
    }
}

#[test]
fn opts_mlst_chooses_facts() {
    reads("OPTS MLST size;Type;X.never;", &Command::OptsMlst(FactSet::parse("type;size;").unwrap()));
    reads("OPTS MLST", &Command::OptsMlst(FactSet::NONE));
    reads("opts mlst ", &Command::OptsMlst(FactSet::NONE));
}

#[test]
fn quirk_list_dash_options() {
    for argument in ["-la", "-al ", "-a -l", "-la scans", "-- -la", "./-la", "a -la", "-", ""] {
        reads(&format!("LIST {argument}"), &Command::List(ListingRequest::parse(argument)));
        reads(&format!("NLST {argument}"), &Command::Nlst(ListingRequest::parse(argument)));
    }
    reads("STAT -la", &Command::Stat(Some(ListingRequest::parse("-la"))));
    reads("MLSD -la", &Command::Mlsd(Some(path("-la"))));
}

#[test]
fn access() {
    reads("USER a b ", &Command::User(path("a b ")));
    refuses(501, &["USER", "USER "]);
    reads(&format!("USER {}", "x".repeat(256)), &Command::User("x".repeat(256)));
    refuses(501, &[&format!("USER {}", "x".repeat(257))]);
    for (line, password) in [("PASS", ""), ("PASS ", ""), ("PASS  a b  ", " a b  "), ("PASS pässword", "pässword")] {
        reads(line, &Command::Pass(Secret(password.into())));
    }
}

#[test]
fn how_files_travel() {
    for line in ["TYPE A", "TYPE a", "TYPE A N", "TYPE a n ", "TYPE A T"] {
        reads(line, &Command::Type(TypeCode::Ascii));
    }
    for line in ["TYPE I", "TYPE i", "TYPE L 8", "TYPE l 8"] {
        reads(line, &Command::Type(TypeCode::Image));
    }
    refuses(504, &["TYPE E", "TYPE E N", "TYPE E T", "TYPE A C", "TYPE L 7", "TYPE L 255", "TYPE L 36"]);
    refuses(501, &["TYPE", "TYPE ", "TYPE X", "TYPE AN", "TYPE A X", "TYPE A N N", "TYPE I N", "TYPE L", "TYPE L 0"]);
    refuses(501, &["TYPE L 256", "TYPE L x", "TYPE L 8 8", "TYPE ı"]);
    reads("MODE S", &Command::ModeStream);
    reads("MODE s ", &Command::ModeStream);
    reads("MODE Z", &Command::ModeDeflate);
    refuses(504, &["MODE B", "MODE C", "MODE b"]);
    assert_eq!(parse(b"MODE b").command.map_err(|reply| reply.text), Err("MODE B not implemented.".into()));
    refuses(501, &["MODE", "MODE X", "MODE SS", "MODE S S"]);
    reads("OPTS MODE Z", &Command::OptsModeZ(None));
    for level in 0..=9 {
        let command = Command::OptsModeZ(DeflateLevel::new(level));
        reads(&format!("OPTS MODE Z LEVEL {level}"), &command);
    }
    reads("opts mode z level 9 ", &Command::OptsModeZ(DeflateLevel::new(9)));
    refuses(501, &["OPTS MODE", "OPTS MODE S", "OPTS MODE Z LEVEL", "OPTS MODE Z LEVEL 10", "OPTS MODE Z LEVEL -1"]);
    refuses(501, &["OPTS MODE Z LEVEL x", "OPTS MODE Z LEVEL +1", "OPTS MODE Z LEVEL 6 7", "OPTS MODE Z ENGINE ZLIB"]);
    reads("STRU F", &Command::StruFile);
    refuses(504, &["STRU R", "STRU P", "STRU p"]);
    refuses(501, &["STRU", "STRU X", "STRU ſ"]);
}

#[test]
fn numbers_of_bytes_end_at_the_bound() {
    reads("REST 0", &Command::Rest(0));
    reads("RANG 1 0", &Command::Rang { first: 1, last: 0 });
    reads("RANG 0 9007199254740991", &Command::Rang { first: 0, last: (1 << 53) - 1 });
    reads("REST 9007199254740991", &Command::Rest((1 << 53) - 1));
    reads("ALLO 9007199254740991", &Command::Allo((1 << 53) - 1));
    reads("ALLO 2745 R 80", &Command::Allo(2745));
    reads("ALLO 2745 r 80 ", &Command::Allo(2745));
    for verb in ["REST", "ALLO"] {
        let bad = ["", " 9007199254740992", " 9223372036854775808", " 99999999999999999999999", " -1", " +1", " 1.0"];
        let worse = [" x", " 0x10", " 1k", " 1 2", " ١"];
        let lines: Vec<String> = bad.iter().chain(&worse).map(|argument| format!("{verb}{argument}")).collect();
        refuses(501, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
    refuses(501, &["ALLO 1 R", "ALLO 1 R x", "ALLO R 80", "ALLO 1 R 80 x", "REST 1 R 2"]);
}

#[test]
fn data_connections() {
    let v4 = "127.0.0.1:2000".parse().unwrap();
    let v6 = "[::1]:2000".parse().unwrap();
    reads("PORT 127,0,0,1,7,208", &Command::Port { extended: false, address: v4 });
    reads("EPRT |1|127.0.0.1|2000|", &Command::Port { extended: true, address: v4 });
    reads("EPRT |2|::1|2000|", &Command::Port { extended: true, address: v6 });
    refuses(501, &["PORT", "PORT 127,0,0,1,7", "PORT 127,0,0,1,7,256", "EPRT", "EPRT |1|::1|2000|", "EPRT 2000"]);
    for (line, argument) in [
        ("EPSV", EpsvArgument::Any),
        ("EPSV ", EpsvArgument::Any),
        ("EPSV 1", EpsvArgument::Ipv4),
        ("EPSV 2", EpsvArgument::Ipv6),
        ("EPSV ALL", EpsvArgument::All),
        ("EPSV all", EpsvArgument::All),
    ] {
        reads(line, &Command::Epsv(argument));
    }
    refuses(522, &["EPSV 3", "EPSV 0", "EPSV 99999999999999999999", "EPRT |3|127.0.0.1|2000|"]);
    refuses(501, &["EPSV x", "EPSV -1", "EPSV ALL 1"]);
    let reply = parse(b"EPSV 3").command.unwrap_err();
    assert_eq!(reply.encode(Form::Text), "522 Network protocol not supported, use (1,2).\r\n");
}

#[test]
fn information() {
    reads("OPTS UTF8 on", &Command::OptsUtf8(true));
    reads("OPTS utf-8", &Command::OptsUtf8(true));
    reads("OPTS UTF8", &Command::OptsUtf8(true));
    reads("OPTS UTF8 OFF", &Command::OptsUtf8(false));
    refuses(501, &["OPTS", "OPTS UTF8 MAYBE", "OPTS UTF8 ON ON"]);
    reads("HELP", &Command::Help(None));
    reads("HELP RETR ", &Command::Help(Some(path("RETR"))));
    let modified_s = 1_798_156_800;
    reads("MFMT 20261225000000 my file ", &Command::Mfmt { modified_s, path: path("my file ") });
    reads("MFMT 20261225000000.5 f", &Command::Mfmt { modified_s, path: path("f") });
    refuses(501, &["MFMT", "MFMT 20261225000000", "MFMT 20261225000000 ", "MFMT 2026 f", "MFMT 20261325000000 f"]);
}

#[test]
fn setexpiry_has_its_date_last() {
    for (argument, name, date) in [
        ("scans 7d", "scans", "7d"),
        ("my scans 2026-12-24", "my scans", "2026-12-24"),
        ("my scans tomorrow", "my scans", "tomorrow"),
        (" a  7d  ", " a ", "7d"),
    ] {
        let expected = Command::Expiry { site: false, path: path(name), date: Some(path(date)) };
        reads(&format!("SETEXPIRY {argument}"), &expected);
    }
    refuses(501, &["SETEXPIRY", "SETEXPIRY ", "SETEXPIRY scans", "SETEXPIRY scans ", "SETEXPIRY  7d"]);
}

#[test]
fn site_expiry_sets_or_asks() {
    for (argument, name, date) in [
        ("scans", "scans", None),
        ("my scans", "my scans", None),
        ("scans ", "scans ", None),
        ("7d", "7d", None),
        ("scans 7d", "scans", Some("7d")),
        ("my scans never ", "my scans", Some("never")),
        ("scans 2026-02-30", "scans", Some("2026-02-30")),
        ("scans 2026", "scans 2026", None),
    ] {
        for verb in ["SITE EXPIRY", "SITE expiry", "SITE  EXPIRY"] {
            let line = format!("{verb} {argument}");
            let expected = Command::Expiry { site: true, path: path(name), date: date.map(path) };
            reads(&line, &expected);
        }
    }
    refuses(501, &["SITE EXPIRY", "SITE EXPIRY ", "SITE", "SITE ", "SITE  "]);
}

#[test]
fn site_claim_has_its_token_last() {
    let token = || Secret(path("00112233445566778899aabbccddeeff"));
    let line = "SITE CLAIM my scans 00112233445566778899aabbccddeeff";
    reads(line, &Command::SiteClaim { path: path("my scans"), token: token() });
    refuses(501, &["SITE CLAIM", "SITE CLAIM scans", "SITE CLAIM scans "]);
    refuses(500, &["SITE FLY", "SITE {"]);
    reads("SITE HELP", &Command::Help(Some(path("SITE"))));
}

#[test]
fn what_rfc_959_has_beside_files() {
    reads("ACCT x y", &Command::Acct(Secret("x y".into())));
    assert_eq!(Command::Acct(Secret("x".into())).to_string(), "ACCT <secret>");
    reads("REIN", &Command::Rein);
    reads("STOU", &Command::Stou(None));
    reads("stou a b", &Command::Stou(Some(path("a b"))));
    refuses(501, &["ACCT", "REIN x"]);
}

#[test]
fn rfc_4217_is_read_in_either_case() {
    reads("auth tls", &Command::Auth(path("TLS")));
    reads("PBSZ 0", &Command::Pbsz(0));
    reads("prot p", &Command::Prot(ProtectionLevel::Private));
    reads("PROT E", &Command::Prot(ProtectionLevel::Confidential));
    reads("CCC", &Command::Ccc);
    refuses(501, &["AUTH", "PBSZ", "PBSZ x", "PBSZ 4294967296", "PROT", "CCC x"]);
    refuses(504, &["PROT X"]);
}

#[test]
fn what_is_known_and_not_carried_is_502_and_the_rest_500() {
    refuses(502, &["SMNT /", "ADAT x", "MIC x", "SITE SYMLINK a b", "SITE UMASK 022"]);
    refuses(500, &["", " ", "FLY", "NOOPX", "NO", " NOOP", "NOOP\t", "NOOP\r", "\u{feff}NOOP", "123", "ÄÖÜ", "NO-OP"]);
}

#[test]
fn what_is_not_utf_8_is_501() {
    for line in [&b"STOR \xff"[..], b"\xff", b"{\xff}", b"CWD \xed\xa0\x80", b"CWD \xc0\xaf"] {
        assert_eq!(parse(line).command.map_err(|reply| reply.code), Err(501));
    }
}

#[test]
fn json_is_answered_in_json() {
    for (line, reply) in [
        ("{", "500"),
        ("{}", "500"),
        (r#"{"Request Command":"FLY"}"#, "500"),
        (r#"{"Request Command":""}"#, "500"),
        (r#"{"Request Command":"RETR 1.png"}"#, "500"),
        (r#"{"Request Command":"RETR"}"#, "501"),
        (r#"{"Request Command":"RETR","Request Argument":""}"#, "501"),
        (r#"{"Request Command":"NOOP","Request Argument":"x"}"#, "501"),
        (r#"{"Request Command":"SMNT","Request Argument":null}"#, "502"),
    ] {
        let request = parse(line.as_bytes());
        assert_eq!(request.form, Form::Json);
        let encoded = request.command.unwrap_err().encode(Form::Json);
        assert!(encoded.starts_with(&format!("{{\"Response Code\":{reply},")), "{line}: {encoded}");
    }
    assert_eq!(parse(b" {}").form, Form::Text);
    assert_eq!(parse(br#"{"Request Command":"noop","Request Argument":""}"#).command, Ok(Command::Noop));
    let smuggled = parse(br#"{"Request Command":"DELE","Request Argument":"a\r\nDELE b"}"#).command;
    assert_eq!(smuggled, Ok(Command::Dele(path("a\r\nDELE b"))));
}

#[test]
fn no_name_smuggles_in_a_second_line() {
    assert_eq!(Command::Stor(path("a\r\nDELE b\0")).encode(), "STOR a??DELE b?");
    assert_eq!(Command::List(ListingRequest::of(Some("-la"))).encode(), "LIST ./-la");
}

#[test]
fn secrets_are_not_shown() {
    let pass = Command::Pass(Secret(path("sesame")));
    let claim = Command::SiteClaim { path: path("p"), token: Secret(path("sesame")) };
    assert_eq!(pass.to_string(), "PASS <secret>");
    assert_eq!(claim.to_string(), "SITE CLAIM p <secret>");
    assert!(!format!("{pass:?} {claim:?}").contains("sesame"));
    assert_eq!(pass.encode(), "PASS sesame");
}
