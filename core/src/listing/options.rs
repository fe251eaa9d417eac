//! The options of LIST, NLST and STAT, as `ls` has them. No RFC knows them; clients send them all the same.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till1};
use nom::character::complete::char;
use nom::combinator::{eof, not, opt, value};
use nom::error::Error;
use nom::multi::fold_many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use serde::{Deserialize, Serialize};

/// What LIST, NLST and STAT are asked to show.
///
/// ```
/// use mayfly_core::listing::options::ListingRequest;
/// let request = ListingRequest::parse("-la two words");
/// assert!(request.options.all && request.options.long);
/// assert_eq!(request.path(), Some("two words"));
/// // Were there a file of that very name, it would be meant.
/// assert_eq!(request.literal(), Some("-la two words"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListingRequest {
    /// What stands before the path.
    pub options: ListingOptions,
    /// All of it as written.
    argument: String,
    /// Where in it the path begins.
    path_at: usize,
}

/// The letters that are known. Others are passed over, as other servers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a letter that is there or not")]
#[non_exhaustive]
pub struct ListingOptions {
    /// `-a`: with `.` and `..`. Other names with a leading dot are shown in any case, so `-A` changes nothing.
    pub all: bool,
    /// `-l`, which LIST implies; `-1` after it takes it back.
    pub long: bool,
    /// `-R`: with what is beneath.
    pub recursive: bool,
    /// `-d`: the directory, not what is in it.
    pub itself: bool,
    /// `-F`: a slash after a directory's name, an at sign after a link's.
    pub classify: bool,
    /// `-t`, `-S`, `-r`.
    pub order: ListingOrder,
}

/// How a directory's entries follow each other, where there are few enough to be sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ListingOrder {
    /// By what.
    pub by: SortKey,
    /// The other way round.
    pub reversed: bool,
}

/// By what a listing is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SortKey {
    /// By name, bytewise.
    #[default]
    Name,
    /// The latest modified first; those of one second by name.
    Modified,
    /// The largest first; those of one size by name.
    Size,
}

impl ListingRequest {
    /// Reads the argument of LIST, NLST or STAT.
    #[must_use]
    pub fn parse(argument: &str) -> Self {
        let (path, options) = words(argument).unwrap_or((argument, ListingOptions::default()));
        Self { options, argument: argument.to_owned(), path_at: argument.len() - path.len() }
    }

    /// Asks for a path without options. One that begins with a dash is written `./-..`, for servers take it for
    /// options.
    #[must_use]
    pub fn of(path: Option<&str>) -> Self {
        let path = path.unwrap_or_default();
        Self::exactly(if path.starts_with('-') { format!("./{path}") } else { path.to_owned() })
    }

    /// Asks for a path as it is written, whatever it begins with: for MLSD, which knows no options. Empty: the working
    /// directory.
    #[must_use]
    pub fn exactly(path: String) -> Self {
        Self { options: ListingOptions::default(), argument: path, path_at: 0 }
    }

    /// The path as written; none: the working directory.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.argument.get(self.path_at..).filter(|path| !path.is_empty())
    }

    /// The whole argument, where it begins with a dash: a name that stands there is meant before any option.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        Some(self.argument.as_str()).filter(|argument| argument.starts_with('-'))
    }

    /// The argument that [`ListingRequest::parse`] reads as this request.
    #[must_use]
    pub fn argument(&self) -> &str {
        &self.argument
    }
}

/// Words of options, each with the blank after it, and `--`, which ends them; the path is the rest.
fn words(argument: &str) -> IResult<&str, ListingOptions, Error<&str>> {
    let more = preceded(not((tag("--"), end)), word);
    let (rest, options) = fold_many0(more, ListingOptions::default, ListingOptions::with).parse(argument)?;
    let (rest, _) = opt((tag("--"), end)).parse(rest)?;
    Ok((rest, options))
}

fn end(text: &str) -> IResult<&str, &str, Error<&str>> {
    alt((tag(" "), eof)).parse(text)
}

/// `-la`, or `--long-word`, which no letter of it says anything. A dash alone is a name.
fn word(text: &str) -> IResult<&str, &str, Error<&str>> {
    let letters =
        alt((value("", (tag("--"), take_till1(|c| c == ' '))), preceded(char('-'), take_till1(|c| c == ' '))));
    terminated(letters, end).parse(text)
}

impl ListingOptions {
    fn with(mut self, letters: &str) -> Self {
        for letter in letters.chars() {
            match letter {
                'a' => self.all = true,
                'l' => self.long = true,
                '1' => self.long = false,
                'R' => self.recursive = true,
                'd' => self.itself = true,
                'F' => self.classify = true,
                'r' => self.order.reversed = true,
                't' => self.order.by = SortKey::Modified,
                'S' => self.order.by = SortKey::Size,
                // `-A` too: nothing but `.` and `..` is left out without it.
                _ => {}
            }
        }
        self
    }
}

impl ListingOrder {
    /// Which of two entries comes first; each is its name as shown, when it was modified (UTC seconds) and its size.
    #[must_use]
    pub fn compare(self, one: (&str, i64, u64), other: (&str, i64, u64)) -> core::cmp::Ordering {
        let by_name = one.0.cmp(other.0);
        let order = match self.by {
            SortKey::Name => by_name,
            SortKey::Modified => other.1.cmp(&one.1).then(by_name),
            SortKey::Size => other.2.cmp(&one.2).then(by_name),
        };
        if self.reversed { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters that are set, and the path.
    fn read(argument: &str) -> (String, Option<String>) {
        let request = ListingRequest::parse(argument);
        let options = request.options;
        let mut letters = String::new();
        for (letter, is_set) in [
            ('a', options.all),
            ('l', options.long),
            ('R', options.recursive),
            ('d', options.itself),
            ('F', options.classify),
            ('r', options.order.reversed),
            ('t', options.order.by == SortKey::Modified),
            ('S', options.order.by == SortKey::Size),
        ] {
            letters.extend(is_set.then_some(letter));
        }
        (letters, request.path().map(ToOwned::to_owned))
    }

    #[test]
    fn options_come_before_the_path() {
        for (argument, letters, path) in [
            ("", "", None),
            ("p", "", Some("p")),
            ("-la", "al", None),
            ("-la p", "al", Some("p")),
            ("-l -a two words", "al", Some("two words")),
            ("-alRtrF p", "alRFrt", Some("p")),
            ("-Sd", "dS", None),
            ("-tS", "S", None),
            ("-l1", "", None),
            ("-zqA p", "", Some("p")),
            ("-- -la", "", Some("-la")),
            ("-a -- ", "a", None),
            ("-a --", "a", None),
            ("--recursive p", "", Some("p")),
            ("-", "", Some("-")),
            ("- p", "", Some("- p")),
            ("-a - p", "a", Some("- p")),
            ("p -la", "", Some("p -la")),
            (" -la", "", Some(" -la")),
            ("-la  p", "al", Some(" p")),
        ] {
            assert_eq!(read(argument), (letters.to_owned(), path.map(ToOwned::to_owned)), "{argument:?}");
            assert_eq!(ListingRequest::parse(argument).argument(), argument);
        }
    }

    #[test]
    fn a_request_for_a_path_reads_back_as_one() {
        for path in [None, Some("p"), Some("-la"), Some("--"), Some("a b ")] {
            let request = ListingRequest::of(path);
            assert_eq!(ListingRequest::parse(request.argument()), request);
        }
    }

    #[test]
    fn entries_follow_each_other_as_asked() {
        let order = |letters: &str| ListingOptions::default().with(letters).order;
        let [old_big, new_small] = [("a", 1, 9), ("b", 2, 3)];
        for (letters, is_before) in [("", true), ("r", false), ("t", false), ("tr", true), ("S", true), ("Sr", false)] {
            assert_eq!(order(letters).compare(old_big, new_small).is_lt(), is_before, "{letters}");
        }
        assert!(order("t").compare(("a", 1, 1), ("b", 1, 1)).is_lt());
    }
}
