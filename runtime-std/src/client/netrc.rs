//! `.netrc`: who one is on which server (ftp(1), tnftp, curl). Tokens stand between blanks, tabs and line ends; a value
//! may stand in double quotes, with `\"`, `\\`, `\n`, `\r` and `\t` in it (curl 7.84).

use mayfly_core::wire::command::Secret;
use std::iter::Peekable;
use std::str::CharIndices;

/// What a `.netrc` says, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Netrc {
    entries: Vec<Entry>,
}

/// One `machine`, or the `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// None: any.
    machine: Option<String>,
    pub(super) login: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) account: Option<Secret>,
}

/// Where a text is no `.netrc`, counted from line 1. What stands there may be a password, and is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

impl Netrc {
    /// Reads the text of a `.netrc`.
    ///
    /// # Errors
    /// [`Malformed`]
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut tokens = Tokens { text, at: text.char_indices().peekable() };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some((line, keyword)) = tokens.next_keyword()? {
            let malformed = |what| Malformed { line, what };
            match keyword.as_str() {
                "default" => entries.push(Entry::default()),
                "machine" => {
                    let machine = Some(tokens.value().ok_or(malformed("machine has no name"))??);
                    entries.push(Entry { machine, ..Entry::default() });
                }
                "macdef" => tokens.skip_macro(),
                "login" | "password" | "account" => {
                    let value = tokens.value().ok_or(malformed("the value is missing"))??;
                    let entry = entries.last_mut().ok_or(malformed("this belongs to a machine"))?;
                    match keyword.as_str() {
                        "login" => entry.login = Some(value),
                        "password" => entry.password = Some(Secret(value)),
                        _ => entry.account = Some(Secret(value)),
                    }
                }
                _ => return Err(malformed("machine, default, login, password, account or macdef is expected")),
            }
        }
        Ok(Self { entries })
    }

    /// What it says of `host`, and of `user` there, where the caller names one: an entry without a login is anybody's.
    /// The first that fits; `default` stands for every host after it.
    pub(super) fn find(&self, host: &str, user: Option<&str>) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            let machine = entry.machine.as_deref();
            let here = machine.is_none_or(|machine| machine.eq_ignore_ascii_case(host));
            let login = entry.login.as_deref();
            here && match user {
                Some(user) => login.is_none_or(|login| login == user),
                None => login.is_some(),
            }
        })
    }
}

struct Tokens<'a> {
    text: &'a str,
    at: Peekable<CharIndices<'a>>,
}

impl Tokens<'_> {
    /// The next keyword and its line. A `#` where one is expected begins a comment, to the line's end.
    fn next_keyword(&mut self) -> Result<Option<(usize, String)>, Malformed> {
        loop {
            self.skip_blank();
            let Some(&(_, first)) = self.at.peek() else { return Ok(None) };
            if first != '#' {
                let line = self.line();
                return self.value().transpose().map(|keyword| keyword.map(|keyword| (line, keyword)));
            }
            while self.at.next_if(|&(_, c)| c != '\n').is_some() {}
        }
    }

    /// The next value; none at the end.
    fn value(&mut self) -> Option<Result<String, Malformed>> {
        self.skip_blank();
        let &(_, first) = self.at.peek()?;
        if first == '"' {
            return Some(self.quoted());
        }
        let mut value = String::new();
        while let Some((_, c)) = self.at.next_if(|&(_, c)| !c.is_ascii_whitespace()) {
            value.push(c);
        }
        Some(Ok(value))
    }

    fn quoted(&mut self) -> Result<String, Malformed> {
        let open = Malformed { line: self.line(), what: "the quotation mark is never closed" };
        self.at.next();
        let mut value = String::new();
        while let Some((_, c)) = self.at.next() {
            match c {
                '"' => return Ok(value),
                '\\' => value.push(match self.at.next().ok_or(open)?.1 {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
                '\n' => return Err(open),
                c => value.push(c),
            }
        }
        Err(open)
    }

    /// A macro goes to the first empty line.
    fn skip_macro(&mut self) {
        let mut ends = 0;
        for (_, c) in self.at.by_ref() {
            match c {
                '\n' if ends == 1 => return,
                '\n' => ends = 1,
                '\r' => {}
                _ => ends = 0,
            }
        }
    }

    fn skip_blank(&mut self) {
        while self.at.next_if(|&(_, c)| c.is_ascii_whitespace()).is_some() {}
    }

    fn line(&mut self) -> usize {
        let at = self.at.peek().map_or(self.text.len(), |&(at, _)| at);
        self.text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Netrc {
        Netrc::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    fn found<'a>(netrc: &'a Netrc, host: &str, user: Option<&str>) -> Option<(Option<&'a str>, Option<&'a str>)> {
        let entry = netrc.find(host, user)?;
        Some((entry.login.as_deref(), entry.password.as_ref().map(|password| password.0.as_str())))
    }

    #[test]
    fn the_first_entry_that_fits_counts() {
        let netrc = parse(
            "machine one login ann password a\n  machine ONE\n\tlogin bob\n\tpassword b account acc\n\
             machine two password nobody's\ndefault login anonymous password me@here\nmachine three login late",
        );
        assert_eq!(found(&netrc, "one", None), Some((Some("ann"), Some("a"))));
        assert_eq!(found(&netrc, "One", Some("bob")), Some((Some("bob"), Some("b"))));
        assert_eq!(netrc.find("one", Some("bob")).unwrap().account, Some(Secret("acc".to_owned())));
        assert_eq!(found(&netrc, "two", Some("eve")), Some((None, Some("nobody's"))));
        assert_eq!(found(&netrc, "two", None), Some((Some("anonymous"), Some("me@here"))));
        assert_eq!(found(&netrc, "three", None), Some((Some("anonymous"), Some("me@here"))), "it comes too late");
        assert_eq!(found(&netrc, "one", Some("eve")), None);
        assert_eq!(found(&parse(""), "one", None), None);
    }

    #[test]
    fn values_may_be_quoted() {
        let netrc = parse(r#"machine "a b" login "x \"y\" \\ \t" password "p # q" machine c login d password e"f"#);
        assert_eq!(found(&netrc, "a b", None), Some((Some("x \"y\" \\ \t"), Some("p # q"))));
        assert_eq!(found(&netrc, "c", None), Some((Some("d"), Some("e\"f"))));
        assert_eq!(found(&parse("machine a login b password \"\""), "a", None), Some((Some("b"), Some(""))));
        assert_eq!(found(&parse("machine a login b password #x"), "a", None), Some((Some("b"), Some("#x"))));
    }

    #[test]
    fn macros_and_comments_are_passed_over() {
        let netrc = parse(
            "# machine no login no\nmachine a login b password c # all\nmacdef init\ncd \"pub\nmachine x login y\n\n\
             machine d login e macdef last\nquit",
        );
        assert_eq!(found(&netrc, "a", None), Some((Some("b"), Some("c"))));
        assert_eq!(found(&netrc, "x", None), None);
        assert_eq!(found(&netrc, "d", None), Some((Some("e"), None)));
        assert_eq!(found(&parse("macdef m\r\nget\r\n\r\nmachine a login b"), "a", None), Some((Some("b"), None)));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_without_its_words() {
        for (text, line) in [
            ("machine", 1),
            ("\n\nlogin x", 3),
            ("machine a\nlogin", 2),
            ("machine a\n\npassword \"open\nlogin b", 3),
            ("machine a pasword hidden", 1),
            ("\"", 1),
            ("machine a login \"x\\", 1),
        ] {
            assert_eq!(Netrc::parse(text).unwrap_err().line, line, "{text:?}");
        }
        let secret = parse("machine a login b password hidden account deep");
        assert!(!format!("{secret:?}").contains("hidden") && !format!("{secret:?}").contains("deep"));
    }
}
