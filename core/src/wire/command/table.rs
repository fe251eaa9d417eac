//! Every command in one place: its name and arguments, where it is specified, what it needs, what it answers, how it is
//! announced and how it is read. Parser, admission, HELP and FEAT use this table, and so do the README's table and the
//! test that asks for a transcript of each row. To add a command, add its row.

use super::argument::{bytes, none, optional, parsed, text};
use super::row::{Feature, Row, Turn, refused, row};
use super::{Command, Malformed, Secret, access, data, facts, hash, identity, info, security, site, transfer};
use crate::digest::DigestAlgorithm;
use crate::listing::facts::FactSet;
use crate::listing::options::ListingRequest;
use alloc::format;
use nom::Parser as _;

/// Every command.
pub static COMMANDS: &[Row] = &[
    // Who the client is: RFC 959 4.1.1.
    row("USER", "<name>", "RFC 959 4.1.1", &[232, 331, 530], access::user).anytime(),
    // An empty password is one, and clients send it for anonymous.
    row("PASS", "<password>", "RFC 959 4.1.1", &[230, 503, 530], |a| Ok(Command::Pass(Secret(a.into())))).anytime(),
    row("QUIT", "", "RFC 959 4.1.1", &[221], |a| none(a, Command::Quit)).anytime(),
    row("ACCT", "<account>", "RFC 959 4.1.1", &[202, 503], |a| text(a).map(|a| Command::Acct(Secret(a)))).anytime(),
    refused("SMNT", "RFC 959 4.1.1"),
    row("REIN", "", "RFC 959 4.1.1", &[220, 503], |a| none(a, Command::Rein)).anytime(),
    // Directories and names. RFC 1123 4.1.3.1: the X-forms of RFC 775 mean the same and are still sent.
    row("PWD", "", "RFC 959 4.1.3", &[257], |a| none(a, Command::Pwd)).keeps_restart(),
    row("XPWD", "", "RFC 775", &[257], |a| none(a, Command::Pwd)).keeps_restart(),
    row("CWD", "<path>", "RFC 959 4.1.1", &[250, 451, 550], |a| text(a).map(Command::Cwd)),
    row("XCWD", "<path>", "RFC 775", &[250, 451, 550], |a| text(a).map(Command::Cwd)),
    row("CDUP", "", "RFC 959 4.1.1", &[250, 451], |a| none(a, Command::Cdup)),
    row("XCUP", "", "RFC 775", &[250, 451], |a| none(a, Command::Cdup)),
    row("MKD", "<path>", "RFC 959 4.1.3", &[257, 451, 550, 552], |a| text(a).map(Command::Mkd)),
    row("XMKD", "<path>", "RFC 775", &[257, 451, 550, 552], |a| text(a).map(Command::Mkd)),
    row("RMD", "<path>", "RFC 959 4.1.3", &[250, 451, 550], |a| text(a).map(Command::Rmd)),
    row("XRMD", "<path>", "RFC 775", &[250, 451, 550], |a| text(a).map(Command::Rmd)),
    row("DELE", "<path>", "RFC 959 4.1.3", &[250, 451, 550], |a| text(a).map(Command::Dele)),
    row("RNFR", "<path>", "RFC 959 4.1.3", &[350, 451, 550], |a| text(a).map(Command::Rnfr)),
    row("RNTO", "<path>", "RFC 959 4.1.3", &[250, 451, 503, 550, 553], |a| text(a).map(Command::Rnto)),
    // How and where data travel.
    row("TYPE", "A [N|T]|I|L 8", "RFC 959 4.1.2", &[200, 504], |a| transfer::type_code(a).map(Command::Type))
        .keeps_restart(),
    row("MODE", "S|Z", "RFC 959 4.1.2", &[200, 504], transfer::mode)
        .keeps_restart()
        .features(&[Feature::Line("MODE Z")]),
    row("STRU", "F", "RFC 959 4.1.2", &[200, 504], transfer::structure).keeps_restart(),
    row("PORT", "<h1,h2,h3,h4,p1,p2>", "RFC 959 4.1.2", &[200, 522], data::port).keeps_restart(),
    row("EPRT", "|<protocol>|<address>|<port>|", "RFC 2428 2", &[200, 522], data::eprt)
        .keeps_restart()
        .features(&[Feature::Line("EPRT")]),
    row("PASV", "", "RFC 959 4.1.2", &[227, 425], |a| none(a, Command::Pasv))
        .keeps_restart()
        .features(&[Feature::Line("PASV")]),
    row("EPSV", "[1|2|ALL]", "RFC 2428 3", &[200, 229, 425, 522], |a| data::epsv(a).map(Command::Epsv))
        .keeps_restart()
        .features(&[Feature::Line("EPSV")]),
    refused("LPRT", "RFC 1639"),
    refused("LPSV", "RFC 1639"),
    refused("SPSV", IN_USE),
    // Transfers.
    row("RETR", "<path>", "RFC 959 4.1.3", &[150, 226, 425, 426, 451, 521, 522, 550, 554], |a| {
        text(a).map(Command::Retr)
    })
    .keeps_restart(),
    row("STOR", "<path>", "RFC 959 4.1.3", &[150, 226, 425, 426, 451, 452, 504, 521, 522, 550, 552, 553, 554], |a| {
        text(a).map(Command::Stor)
    })
    .keeps_restart(),
    row("APPE", "<path>", "RFC 959 4.1.3", &[150, 226, 425, 426, 451, 452, 504, 521, 522, 550, 552, 553], |a| {
        text(a).map(Command::Appe)
    })
    .keeps_restart(),
    row("STOU", "[<prefix>]", "RFC 959 4.1.3", &[150, 226, 425, 426, 451, 452, 504, 521, 522, 550, 552, 553], |a| {
        Ok(Command::Stou(optional(a)))
    })
    .keeps_restart(),
    row("REST", "<offset>", "RFC 3659 5", &[350], |a| parsed(a, bytes.map(Command::Rest)))
        .keeps_restart()
        .features(&[Feature::Line("REST STREAM")]),
    row("RANG", "<first> <last>", "draft-bryan-ftp-range 3", &[350], transfer::range)
        .keeps_restart()
        .features(&[Feature::Line("RANG STREAM")]),
    row("ALLO", "<bytes> [R <bytes>]", "RFC 959 4.1.3", &[200, 451, 452, 550, 552], transfer::allo).keeps_restart(),
    row("ABOR", "", "RFC 959 4.1.3", &[225, 226], |a| none(a, Command::Abor)).anytime().turn(Turn::Interrupts),
    // Listings.
    row("LIST", "[-aAlRtrSd1F] [<path>]", "RFC 959 4.1.3", &[150, 226, 425, 426, 451, 521, 522, 550], |a| {
        Ok(Command::List(ListingRequest::parse(a)))
    }),
    row("NLST", "[-aAlRtrSd1F] [<path>]", "RFC 959 4.1.3", &[150, 226, 425, 426, 451, 521, 522, 550], |a| {
        Ok(Command::Nlst(ListingRequest::parse(a)))
    }),
    row("MLSD", "[<path>]", "RFC 3659 7", &[150, 226, 425, 426, 451, 521, 522, 550], |a| {
        Ok(Command::Mlsd(optional(a)))
    })
    .features(&[Feature::Line("TVFS")]),
    row("MLST", "[<path>]", "RFC 3659 7", &[250, 451, 550], |a| Ok(Command::Mlst(optional(a))))
        .keeps_restart()
        .features(&[Feature::Facts]),
    row("STAT", "[-aAlRtrSd1F] [<path>]", "RFC 959 4.1.3", &[211, 213, 451, 550], |a| {
        Ok(Command::Stat((!a.is_empty()).then(|| ListingRequest::parse(a))))
    })
    .turn(Turn::AtOnce)
    .keeps_restart(),
    // Files.
    row("SIZE", "<path>", "RFC 3659 4", &[213, 426, 451, 550], |a| text(a).map(Command::Size))
        .keeps_restart()
        .features(&[Feature::Line("SIZE")]),
    row("MDTM", "[<YYYYMMDDHHMMSS>] <path>", "RFC 3659 3", &[213, 451, 550], |a| text(a).map(Command::Mdtm))
        .keeps_restart()
        .features(&[Feature::Line("MDTM")]),
    row("MFMT", "<YYYYMMDDHHMMSS> <path>", "draft-somers-ftp-mfxx 3", &[213, 451, 550], facts::mfmt)
        .features(&[Feature::Line("MFMT")]),
    row("MFCT", "<YYYYMMDDHHMMSS> <path>", "draft-somers-ftp-mfxx 4", &[213, 451, 550], facts::mfct)
        .features(&[Feature::Line("MFCT")]),
    row("MFF", "<fact>=<value>;... <path>", "draft-somers-ftp-mfxx 5", &[213, 451, 504, 550], facts::mff)
        .features(&[Feature::NewFacts]),
    row("HASH", "<path>", "draft-bryan-ftpext-hash 3", &[213, 426, 451, 550, 553], |a| text(a).map(Command::Hash))
        .keeps_restart()
        .features(&[Feature::Hash]),
    row("XCRC", X_ARGUMENTS, IN_USE, X_REPLIES, |a| hash::x_hash(DigestAlgorithm::Crc32, a))
        .features(&[Feature::Line("XCRC")]),
    row("XMD5", X_ARGUMENTS, IN_USE, X_REPLIES, |a| hash::x_hash(DigestAlgorithm::Md5, a))
        .features(&[Feature::Line("XMD5")]),
    row("XSHA", X_ARGUMENTS, IN_USE, X_REPLIES, |a| hash::x_hash(DigestAlgorithm::Sha1, a))
        .features(&[Feature::Line("XSHA")]),
    row("XSHA1", X_ARGUMENTS, IN_USE, X_REPLIES, |a| hash::x_hash(DigestAlgorithm::Sha1, a))
        .features(&[Feature::Line("XSHA1")]),
    row("XSHA256", X_ARGUMENTS, IN_USE, X_REPLIES, |a| hash::x_hash(DigestAlgorithm::Sha256, a))
        .features(&[Feature::Line("XSHA256")]),
    row("XSHA512", X_ARGUMENTS, IN_USE, X_REPLIES, |a| hash::x_hash(DigestAlgorithm::Sha512, a))
        .features(&[Feature::Line("XSHA512")]),
    row("AVBL", "[<path>]", STREAMLINED, &[213, 451, 550], |a| Ok(Command::Avbl(optional(a))))
        .features(&[Feature::Line("AVBL")]),
    row("DSIZ", "[<path>]", STREAMLINED, &[213, 426, 451, 550], |a| Ok(Command::Dsiz(optional(a))))
        .features(&[Feature::Line("DSIZ")]),
    row("COMB", "<target> <part> [<part>...]", IN_USE, &[250, 426, 451, 452, 550, 552, 553], hash::comb)
        .features(&[Feature::Line("COMB")]),
    refused("THMB", STREAMLINED),
    // The server and the session.
    row("SYST", "", "RFC 959 4.1.3", &[215], |a| none(a, Command::Syst)).anytime().keeps_restart(),
    row("NOOP", "", "RFC 959 4.1.3", &[200], |a| none(a, Command::Noop)).anytime().turn(Turn::AtOnce).keeps_restart(),
    row("HELP", "[<command>]", "RFC 959 4.1.3", &[214, 502], |a| Ok(Command::Help(optional(a.trim_matches(' ')))))
        .anytime(),
    row("FEAT", "", "RFC 2389 3", &[211], |a| none(a, Command::Feat)).anytime().keeps_restart(),
    row("OPTS MODE", "Z [LEVEL <0-9>]", "draft-preston-ftpext-deflate 3", &[200], transfer::opts_mode)
        .anytime()
        .keeps_restart(),
    row("OPTS UTF8", "[ON|OFF]", "RFC 2389 4", &[200, 504], info::opts_utf8)
        .anytime()
        .keeps_restart()
        .features(&[Feature::Line("UTF8")]),
    row("OPTS HASH", "[<algorithm>]", "draft-bryan-ftpext-hash 3.3", &[200], hash::opts_hash),
    row("OPTS MLST", "[<fact>;...]", "RFC 3659 7.9", &[200], |a| {
        FactSet::parse(a).map(Command::OptsMlst).ok_or(Malformed::ArgumentInvalid)
    })
    .anytime(),
    row("OPTS UTF-8", "[ON|OFF]", IN_USE, &[200, 504], info::opts_utf8).anytime().keeps_restart(),
    row("LANG", "[<language>]", "RFC 2640 4", &[200, 504], identity::lang)
        .anytime()
        .features(&[Feature::Line("LANG EN*")]),
    row("HOST", "<name>", "RFC 7151 3", &[220, 503, 504], identity::host).anytime().features(&[Feature::Line("HOST")]),
    row("CLNT", "<name>", IN_USE, &[200], |a| text(a).map(Command::Clnt)).anytime().features(&[Feature::Line("CLNT")]),
    row("CSID", "Name=<name>; Version=<version>;", IN_USE, &[200], |a| text(a).map(Command::Csid))
        .anytime()
        .features(&[Feature::Line("CSID")]),
    refused("ALGS", "draft-bryan-ftpext-hash"),
    // Expiry: DESIGN 4.
    row("SETEXPIRY", "<path> <date>", "seed", &[0, 451, 550], site::set_expiry).features(&[Feature::Line("SETEXPIRY")]),
    row("SITE EXPIRY", "<path> [<date>]", "mayfly", &[200, 213, 451, 550], site::expiry)
        .features(&[Feature::Line("SITE EXPIRY")]),
    row("SITE TOKEN", "<path>", "mayfly", &[213, 451, 550], |a| text(a).map(Command::SiteToken))
        .features(&[Feature::Line("SITE TOKEN")]),
    row("SITE CLAIM", "<path> <token>", "mayfly", &[200, 451, 550], site::claim)
        .features(&[Feature::Line("SITE CLAIM")]),
    row("SITE HELP", "[<command>]", "RFC 959 4.1.3", &[214, 502], |a| {
        Ok(Command::Help(Some(format!("SITE {}", a.trim_matches(' ')).trim_end().into())))
    })
    .features(&[Feature::Line("SITE HELP")])
    .anytime(),
    row("SITE CHMOD", "<mode> <path>", IN_USE, &[200, 451, 504, 550], facts::site_chmod).features(&[Feature::Chmod]),
    row("SITE UTIME", "<YYYYMMDDhhmm[ss]> <path>", IN_USE, &[200, 451, 550], facts::site_utime)
        .features(&[Feature::Line("SITE UTIME")]),
    row("SITE IDLE", "[<seconds>]", IN_USE, &[200], identity::site_idle).features(&[Feature::Line("SITE IDLE")]),
    row("SITE WHOAMI", "", IN_USE, &[200], |a| none(a, Command::SiteWhoami)).features(&[Feature::Line("SITE WHOAMI")]),
    // No way out of the root is made.
    refused("SITE SYMLINK", IN_USE),
    refused("SITE UMASK", IN_USE),
    // Security: RFC 2228 and RFC 4217.
    row("AUTH", "TLS|SSL", "RFC 4217 4", &[234, 502, 503, 504], security::auth)
        .anytime()
        .features(&[Feature::Tls("AUTH TLS")]),
    refused("ADAT", "RFC 2228 3"),
    row("PBSZ", "0", "RFC 4217 8", &[200, 503], security::pbsz).anytime().features(&[Feature::Tls("PBSZ")]),
    row("PROT", "C|P", "RFC 4217 9", &[200, 503, 504, 534, 536], security::prot)
        .anytime()
        .features(&[Feature::Tls("PROT")]),
    row("CCC", "", "RFC 4217 6", &[503, 533], |a| none(a, Command::Ccc)).anytime(),
    refused("MIC", "RFC 2228 3"),
    refused("CONF", "RFC 2228 3"),
    refused("ENC", "RFC 2228 3"),
];

/// Finds a command's row and what follows its name. `verb` may be of any case.
///
/// # Errors
/// [`Malformed`] where no row is of that name, with the code that is due.
pub(super) fn find<'a>(verb: &str, argument: &'a str) -> Result<(&'static Row, &'a str), Malformed> {
    let unknown = match verb.to_ascii_uppercase().as_str() {
        // RFC 2389 4: an option that is not understood is a 501.
        "OPTS" => Malformed::ArgumentInvalid,
        "SITE" => Malformed::UnknownSiteCommand,
        _ => return by_name(verb, None).map(|row| (row, argument)).ok_or(Malformed::UnknownCommand),
    };
    let argument = argument.trim_start_matches(' ');
    if argument.is_empty() {
        return Err(Malformed::ArgumentMissing);
    }
    let (word, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    by_name(verb, Some(word)).map(|row| (row, rest)).ok_or(unknown)
}

fn by_name(verb: &str, word: Option<&str>) -> Option<&'static Row> {
    COMMANDS.iter().find(|row| match (row.name.split_once(' '), word) {
        (None, None) => row.name.eq_ignore_ascii_case(verb),
        (Some((row_verb, row_word)), Some(word)) => {
            row_verb.eq_ignore_ascii_case(verb) && row_word.eq_ignore_ascii_case(word)
        }
        _ => false,
    })
}

const IN_USE: &str = "in use, no RFC";
const STREAMLINED: &str = "draft-peterson-streamlined-ftp";
const X_ARGUMENTS: &str = "<path> [<start> <end>]";
const X_REPLIES: &[u16] = &[250, 426, 451, 550];

#[cfg(test)]
mod tests {
    use super::super::row::EVERYWHERE;
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn every_row_is_found_by_its_name_and_no_two_share_one() {
        let names: BTreeSet<&str> = COMMANDS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        for row in COMMANDS {
            let (verb, word) = row.name.split_once(' ').unwrap_or((row.name, ""));
            let argument = format!("{word} rest of it");
            let (found, rest) = find(&verb.to_lowercase(), argument.trim_start()).unwrap();
            assert_eq!((found, rest), (row, "rest of it"), "{row:?}");
        }
    }

    #[test]
    fn an_unknown_word_of_site_or_opts_has_its_own_answer() {
        assert_eq!(find("SITE", "FLY x"), Err(Malformed::UnknownSiteCommand));
        assert_eq!(find("OPTS", "FLY x"), Err(Malformed::ArgumentInvalid));
        assert_eq!(find("SITE", " "), Err(Malformed::ArgumentMissing));
        assert_eq!(find("SITE EXPIRY", "x"), Err(Malformed::UnknownCommand));
    }

    #[test]
    fn every_row_says_all_that_is_to_be_said() {
        for row in COMMANDS {
            assert!(!row.source.is_empty(), "{row:?}");
            assert!(!row.replies.is_empty(), "{row:?}");
            assert!(row.replies.is_sorted_by(|a, b| a < b), "{row:?}: in order, each once");
            assert!(!row.replies.iter().any(|code| EVERYWHERE.contains(code)), "{row:?}");
            let refuses = (row.parse)("").is_err_and(|malformed| malformed == Malformed::NotImplemented);
            assert_eq!(row.is_carried(), !refuses, "{row:?}");
            assert!(row.is_carried() || row.features.is_empty(), "{row:?}: FEAT names nothing that does not work");
            assert_eq!(row.name, row.name.to_string().to_uppercase());
        }
    }
}
