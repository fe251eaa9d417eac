//! The log of transfers that wu-ftpd kept and that analysers read: one line each, `xferlog(5)`.

use super::file::LogFile;
use mayfly_core::action::Direction;
use mayfly_core::date;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// The file, where the operator wants one.
pub(super) static FILE: OnceLock<Mutex<LogFile>> = OnceLock::new();

/// A transfer that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer<'a> {
    pub(super) peer: IpAddr,
    /// Who it is; none: the anonymous user.
    pub(super) user: Option<&'a str>,
    pub(super) direction: Direction,
    pub(super) path: &'a str,
    pub(super) bytes: u64,
    pub(super) took_ms: u64,
    pub(super) ascii: bool,
    pub(super) is_complete: bool,
}

impl Transfer<'_> {
    /// Its line, with the line end.
    fn line(&self, now_s: i64) -> String {
        let time = asctime(now_s);
        // As wu-ftpd: none took no time.
        let seconds = self.took_ms.div_ceil(1000).max(1);
        let kind = if self.ascii { 'a' } else { 'b' };
        let direction = match self.direction {
            Direction::Send => 'o',
            Direction::Receive => 'i',
        };
        // Where wu-ftpd says what an anonymous client typed as its password, this says nothing of it: it may be one.
        let (access, user) = self.user.map_or(('a', "anonymous"), |user| ('r', user));
        let completion = if self.is_complete { 'c' } else { 'i' };
        let mut line = format!("{time} {seconds} {} {} ", self.peer.to_canonical(), self.bytes);
        push_word(&mut line, self.path);
        // Nothing was done to the file (`_`): MODE Z deflates the connection.
        let _ = write!(line, " {kind} _ {direction} {access} ");
        push_word(&mut line, user);
        // Service; no RFC 931 identification, so no user by it; how it ended.
        let _ = writeln!(line, " ftp 0 * {completion}");
        line
    }
}

/// Writes the line of a transfer, where there is such a log.
pub(super) fn write(transfer: &Transfer<'_>) {
    if let Some(file) = FILE.get() {
        let line = transfer.line(now_s());
        let lost = file.lock().unwrap_or_else(PoisonError::into_inner).append(line.as_bytes());
        if lost > 0 {
            tracing::error!(lost, "lines of the xferlog could not be written");
        }
    }
}

/// A field is one word, so what parts words, and what else a terminal would act on, becomes `_`.
fn push_word(line: &mut String, text: &str) {
    let word = |c: char| if c.is_whitespace() || super::escape::is_hidden(c) { '_' } else { c };
    line.extend(text.chars().map(word));
    if text.is_empty() {
        line.push('*');
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// As asctime(3) writes it, but UTC, as all times of the log: `Thu Sep  9 21:59:46 2004`.
fn asctime(utc_s: i64) -> String {
    // YYYYMMDDHHMMSS.
    let digits = date::time_val(utc_s);
    let number =
        |from: usize, to: usize| digits.get(from..to).and_then(|digits| digits.parse().ok()).unwrap_or(0_usize);
    let month = MONTHS.get(number(4, 6).saturating_sub(1)).copied().unwrap_or_default();
    // The first of January 1970 was a Thursday.
    let day = usize::try_from(utc_s.div_euclid(86_400).rem_euclid(7)).unwrap_or_default();
    let weekday = WEEKDAYS.get(day).copied().unwrap_or_default();
    let (hour, minute, second) = (number(8, 10), number(10, 12), number(12, 14));
    format!("{weekday} {month} {:>2} {hour:02}:{minute:02}:{second:02} {}", number(6, 8), number(0, 4))
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSFER: Transfer<'_> = Transfer {
        peer: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)),
        user: None,
        direction: Direction::Receive,
        path: "/scans/1.png",
        bytes: 2745,
        took_ms: 1200,
        ascii: false,
        is_complete: true,
    };

    #[test]
    fn a_line_is_wu_ftpd_s() {
        let line = TRANSFER.line(1_094_767_186);
        assert_eq!(line, "Thu Sep  9 21:59:46 2004 2 192.0.2.7 2745 /scans/1.png b _ i a anonymous ftp 0 * c\n");
        let other = Transfer {
            user: Some("anna"),
            direction: Direction::Send,
            path: "/a b\t\u{202e}\r\nc",
            took_ms: 0,
            ascii: true,
            is_complete: false,
            ..TRANSFER
        };
        let line = other.line(1_924_304_523);
        assert_eq!(line, "Tue Dec 24 01:02:03 2030 1 192.0.2.7 2745 /a_b____c a _ o r anna ftp 0 * i\n");
        assert_eq!(line.split_whitespace().count(), 18, "five words of time, thirteen fields");
    }
}
