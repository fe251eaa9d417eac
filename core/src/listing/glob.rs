//! Patterns in the arguments of LIST, NLST and STAT, as a shell has them: `*`, `?`, `[a-c]`, `[!a]`, `{a,b}`, and `\`
//! before a letter that would mean something. Matching never costs more than the lengths of pattern and name multiplied.

use crate::limits;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// One component of a path, as a pattern.
///
/// ```
/// use mayfly_core::listing::glob::Glob;
/// let pictures = Glob::parse("*.{png,jp?g}").expect("it is a pattern");
/// assert!(pictures.matches("1.png") && pictures.matches("a.jpeg"));
/// assert!(!pictures.matches(".hidden.png"));
/// assert_eq!(Glob::parse("plain"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// One for each word of its braces.
    alternatives: Vec<Vec<Token>>,
}

/// A path that holds patterns, cut where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternPath {
    /// What stands before the first pattern, as it is written but for its escapes: `/a/`, `a/b/`, or nothing.
    pub base: String,
    /// The patterns, each with what comes before the next; at least one.
    pub steps: Vec<PatternStep>,
}

/// A pattern, and the plain components that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternStep {
    /// Which names of a directory are meant.
    pub glob: Glob,
    /// What is meant beneath each of them: `a/b`, or nothing.
    pub below: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    One(char),
    Any,
    Set { ranges: Vec<(char, char)>, negated: bool },
    Star,
}

impl Glob {
    /// Reads one component; none where it holds no pattern, or more than [`limits::GLOB_WORDS_MAX`] words in braces or
    /// [`limits::GLOB_BYTES_MAX`] bytes: then it is a name like any other.
    #[must_use]
    pub fn parse(component: &str) -> Option<Self> {
        if component.len() > limits::GLOB_BYTES_MAX {
            return None;
        }
        let words = words(component)?;
        let mut is_pattern = words.len() > 1;
        let mut alternatives = Vec::new();
        for word in words {
            let tokens = tokens(&word);
            is_pattern |= tokens.iter().any(|token| !matches!(token, Token::One(_)));
            alternatives.push(tokens);
        }
        is_pattern.then_some(Self { alternatives })
    }

    /// Whether this name is meant. A leading dot must be written out (POSIX 2.13.3).
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.alternatives.iter().any(|tokens| {
            let hides = name.starts_with('.') && tokens.first() != Some(&Token::One('.'));
            !hides && matches(tokens, name)
        })
    }
}

impl Glob {
    /// The most that a match may cost for each letter of a name, in letters compared.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.alternatives.iter().map(|tokens| tokens.len().max(1)).sum()
    }
}

impl PatternPath {
    /// Reads a path; none where it holds no pattern. Of more than [`limits::GLOB_STEPS_MAX`] patterns none is one.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let mut read = Self { base: String::new(), steps: Vec::new() };
        let mut rest = path;
        while !rest.is_empty() {
            let end = rest.find('/').map_or(rest.len(), |at| at + 1);
            let (component, after) = rest.split_at(end);
            rest = after;
            match (Glob::parse(component.trim_end_matches('/')), read.steps.last_mut()) {
                (Some(glob), _) => read.steps.push(PatternStep { glob, below: String::new() }),
                (None, None) => read.base.push_str(&unescaped(component)),
                // Not even an empty component: what begins with a slash would be looked up from the root.
                (None, Some(_)) if component == "/" => {}
                (None, Some(step)) => step.below.push_str(&unescaped(component)),
            }
        }
        (1..=limits::GLOB_STEPS_MAX).contains(&read.steps.len()).then_some(read)
    }
}

/// A name as a pattern that means it alone would be, without its escapes.
#[must_use]
pub fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        plain.push(match chars.peek() {
            Some(&next) if c == '\\' && is_special(next) => {
                chars.next();
                next
            }
            _ => c,
        });
    }
    plain
}

/// Before others a backslash is itself: `\xHH` stands for a byte that cannot be shown (DESIGN 3).
fn is_special(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\')
}

/// Multiplies the braces out; none where that gives too many words. Braces do not nest, and without a comma between
/// them they are names' letters.
fn words(component: &str) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    let mut rest = component;
    while let Some((before, choices, after)) = next_braces(rest) {
        let grown = words.iter().flat_map(|word| choices.iter().map(move |choice| [word, before, choice].concat()));
        if words.len() * choices.len() > limits::GLOB_WORDS_MAX {
            return None;
        }
        words = grown.collect();
        rest = after;
    }
    for word in &mut words {
        word.push_str(rest);
    }
    Some(words)
}

/// The first braces with a comma: what stands before them, their words, and what stands after them.
fn next_braces(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let mut open = None;
    let mut commas = Vec::new();
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => {}
            '{' => {
                open = Some(at);
                commas.clear();
            }
            ',' if open.is_some() => commas.push(at),
            '}' => {
                if let Some(from) = open.take()
                    && !commas.is_empty()
                {
                    let starts = core::iter::once(from).chain(commas.iter().copied());
                    let ends = commas.iter().copied().chain(core::iter::once(at));
                    let choices = starts.zip(ends).map(|(start, end)| &text[start + 1..end]).collect();
                    return Some((&text[..from], choices, &text[at + 1..]));
                }
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

fn tokens(word: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let (token, next) = match c {
            '*' => (Token::Star, after),
            '?' => (Token::Any, after),
            '[' => set(after).unwrap_or((Token::One('['), after)),
            '\\' => match after.chars().next() {
                Some(next) if is_special(next) => (Token::One(next), &after[next.len_utf8()..]),
                _ => (Token::One('\\'), after),
            },
            c => (Token::One(c), after),
        };
        rest = next;
        // Stars beside each other mean what one does.
        if token != Token::Star || tokens.last() != Some(&Token::Star) {
            tokens.push(token);
        }
    }
    tokens
}

/// What stands after `[`, up to its `]`, and the rest; none where it never closes, for then it is a letter.
fn set(text: &str) -> Option<(Token, &str)> {
    let negated = text.starts_with(['!', '^']);
    let inner = if negated { &text[1..] } else { text };
    let mut ranges = Vec::new();
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        // POSIX 9.3.5: a bracket that comes first is one of the set.
        if c == ']' && at > 0 {
            return Some((Token::Set { ranges, negated }, &inner[at + 1..]));
        }
        let low = if c == '\\' { chars.next()?.1 } else { c };
        let mut ahead = chars.clone();
        let is_range = ahead.next().is_some_and(|(_, c)| c == '-') && ahead.next().is_some_and(|(_, c)| c != ']');
        let high = if is_range {
            chars.next();
            match chars.next()?.1 {
                '\\' => chars.next()?.1,
                high => high,
            }
        } else {
            low
        };
        ranges.push((low, high));
    }
    None
}

/// Goes back to the last star alone, never to an earlier one: what an earlier star could take more of, the later one
/// can take as well.
fn matches(tokens: &[Token], name: &str) -> bool {
    let mut here = 0;
    let mut rest = name.chars();
    let mut star: Option<(usize, core::str::Chars<'_>)> = None;
    loop {
        if tokens.get(here) == Some(&Token::Star) {
            here += 1;
            star = Some((here, rest.clone()));
            continue;
        }
        match (tokens.get(here), rest.next()) {
            (None, None) => return true,
            (Some(token), Some(c)) if fits(token, c) => here += 1,
            _ => {
                let Some((after, taken)) = &mut star else { return false };
                // The star takes one letter more.
                if taken.next().is_none() {
                    return false;
                }
                here = *after;
                rest = taken.clone();
            }
        }
    }
}

fn fits(token: &Token, c: char) -> bool {
    match token {
        Token::One(one) => *one == c,
        Token::Any => true,
        Token::Set { ranges, negated } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
        Token::Star => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn glob(pattern: &str) -> Glob {
        Glob::parse(pattern).unwrap_or_else(|| panic!("{pattern}"))
    }

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, meant, not_meant) in [
            ("*", &["a", "a.b", "ä"][..], &[".a"][..]),
            (".*", &[".a", "."], &["a"]),
            ("*.png", &[".png.png.png", "1.png"], &["1.pngx", "png"]),
            ("?", &["a", "ä", "*"], &["", "ab", "."]),
            ("[a-c]?", &["a1", "cc"], &["d1", "a", "A1"]),
            ("[!a]*", &["b", "bb"], &["a", "ab", ".b"]),
            ("[^a]", &["b"], &["a"]),
            ("[]x]", &["]", "x"], &["[]x]"]),
            ("[a-]", &["a", "-"], &["b"]),
            (r"[\]]", &["]"], &["\\"]),
            (r"\**", &["*", "*x"], &["x"]),
            ("a[*", &["a[", "a[x"], &["a"]),
            ("{a,b}.c", &["a.c", "b.c"], &["ab.c", "{a,b}.c"]),
            ("{a*,}x", &["ax", "abx", "x"], &["bx"]),
            (r"*caf\xe9", &[r"caf\xe9", r"a caf\xe9"], &["cafxe9"]),
            ("*a*b*c*", &["abc", "xaxbxcx"], &["acb", "ab"]),
        ] {
            for name in meant {
                let starts_hidden = name.starts_with('.') && !pattern.starts_with('.');
                assert_eq!(glob(pattern).matches(name), !starts_hidden, "{pattern} {name}");
            }
            for name in not_meant {
                assert!(!glob(pattern).matches(name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn plain_names_are_no_patterns() {
        for plain in ["", "a", "a{b}c", "a]b", r"\*", r"a\xe9", "[", "a,b", "{a,b"] {
            assert_eq!(Glob::parse(plain), None, "{plain}");
        }
        // More words than anybody needs: a name.
        assert_eq!(Glob::parse(&"{a,b}".repeat(10)), None);
        assert_eq!(Glob::parse(&"*a".repeat(limits::GLOB_BYTES_MAX)), None);
    }

    #[test]
    fn a_path_is_cut_where_its_patterns_stand() {
        let read = PatternPath::parse(r"/a\*b/c/*/d/e/?.png").unwrap();
        assert_eq!(read.base, "/a*b/c/");
        let below: Vec<_> = read.steps.iter().map(|step| step.below.as_str()).collect();
        assert_eq!(below, ["d/e/", ""]);
        assert!(read.steps[1].glob.matches("x.png"));
        assert_eq!(PatternPath::parse("a/b"), None);
        assert_eq!(PatternPath::parse("*//x").unwrap().steps[0].below, "x");
        assert_eq!(PatternPath::parse(&"*/".repeat(limits::GLOB_STEPS_MAX + 1)), None);
    }

    /// A matcher that tried every way a star can go would not come back.
    #[test]
    fn many_stars_cost_no_more_than_the_lengths_multiplied() {
        let pattern = glob(&"*a".repeat(100));
        assert_eq!(pattern.cost(), 200);
        assert_eq!(glob("{a,bc}*").cost(), 5);
        assert!(!pattern.matches(&"a".repeat(99)));
        assert!(!pattern.matches(&alloc::format!("{}b", "a".repeat(1000))));
        assert!(pattern.matches(&"a".repeat(1000)));
    }
}
