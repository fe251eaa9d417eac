//! Dates: the forms that SETEXPIRY takes, and the forms that replies and listings show.

use crate::time::Now;
use alloc::format;
use alloc::string::String;
use core::fmt;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{all_consuming, map, map_opt, opt, value, verify};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use time::{Date, Month, OffsetDateTime};

/// A date as a client gave it, seen from the moment it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiryDate {
    /// This instant, UTC seconds, never before now; `now` is the present second.
    At(i64),
    /// `never`.
    Never,
}

/// Why a text is no date to set; both become 501 and the old date stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateError {
    /// It has none of the forms, names no day or time that exists, or lies beyond the year 9999.
    Malformed,
    /// It lies before now.
    Past,
}

impl ExpiryDate {
    /// Reads the date of a `SETEXPIRY`. The result is UTC, in whole seconds, never before `now`.
    ///
    /// | form | meaning |
    /// |---|---|
    /// | `2026-12-24T18:30:00+01:00`, `2026-12-24t17:30:00.5z` | RFC 3339; a fraction is cut off |
    /// | `2026-12-24` | the end of that day, UTC: `2026-12-25T00:00:00Z` |
    /// | `20261224173000` | UTC, as MDTM shows it; a fraction is cut off |
    /// | `45s`, `90m`, `12h`, `7d` | so long from now |
    /// | `P7D`, `PT90M`, `P1DT12H` | so long from now; days, hours, minutes and seconds of ISO 8601 |
    /// | `now` | the present second |
    /// | `never` | not at all |
    ///
    /// A leap second (`23:59:60` UTC) is the second after it. No other text is a date.
    ///
    /// # Errors
    /// [`DateError::Malformed`] or [`DateError::Past`]; both become 501 and the old date stands.
    ///
    /// Source: seed `SETEXPIRY`; DESIGN 4; RFC 3339 5.6; RFC 3659 2.3 for the 14-digit form.
    ///
    /// ```
    /// use mayfly_core::date::ExpiryDate;
    /// use mayfly_core::time::Now;
    /// let now = Now { monotonic_ms: 0, utc_s: 1_798_070_400 };
    /// assert_eq!(ExpiryDate::parse("2026-12-24", now), Ok(ExpiryDate::At(1_798_156_800)));
    /// assert_eq!(ExpiryDate::parse("1d", now), Ok(ExpiryDate::At(1_798_156_800)));
    /// ```
    pub fn parse(text: &str, now: Now) -> Result<Self, DateError> {
        let at = match form(text).ok_or(DateError::Malformed)? {
            Form::Now => return Ok(Self::At(now.utc_s)),
            Form::Never => return Ok(Self::Never),
            Form::After { seconds } => now.utc_s.checked_add_unsigned(seconds),
            Form::At(reading) => reading.utc_s(),
            Form::EndOf(reading) => reading.utc_s().map(|day_s| day_s + DAY_S),
        };
        match at.filter(|at| (0..=UTC_S_MAX).contains(at)) {
            None => Err(DateError::Malformed),
            Some(at) if at < now.utc_s => Err(DateError::Past),
            Some(at) => Ok(Self::At(at)),
        }
    }
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the date has none of the known forms",
            Self::Past => "the date lies in the past",
        })
    }
}

impl core::error::Error for DateError {}

/// Whether a word is written as one of the forms of [`ExpiryDate::parse`], even if no such day exists. Tells the date
/// of a `SITE EXPIRY` from the last word of a path.
#[must_use]
pub fn is_date_form(text: &str) -> bool {
    form(text).is_some()
}

/// `YYYYMMDDHHMMSS`, UTC (RFC 3659 2.3). What lies outside the years 0 to 9999 shows as their border.
#[must_use]
pub fn time_val(utc_s: i64) -> String {
    let t = calendar(utc_s);
    let (month, day) = (u8::from(t.month()), t.day());
    format!("{:04}{month:02}{day:02}{:02}{:02}{:02}", t.year(), t.hour(), t.minute(), t.second())
}

/// `2026-12-25T00:00:00Z`. What lies outside the years 0 to 9999 shows as their border.
#[must_use]
pub fn rfc3339(utc_s: i64) -> String {
    let t = calendar(utc_s);
    let (month, day) = (u8::from(t.month()), t.day());
    format!("{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", t.year(), t.hour(), t.minute(), t.second())
}

/// UTC seconds of `YYYYMMDDHHMMSS[.fraction]` (RFC 3659 2.3), years 0 to 9999; the fraction is cut off.
#[must_use]
pub fn parse_time_val(text: &str) -> Option<i64> {
    let (_, reading) = all_consuming(time_val_reading).parse(text).ok()?;
    reading.utc_s()
}

/// Year, month, day and so on of an instant, UTC, held within the years 0 to 9999.
pub(crate) fn calendar(utc_s: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(utc_s.clamp(UTC_S_MIN, UTC_S_MAX))
        .expect("the years 0 to 9999 are within what the calendar holds")
}

/// A date by its form alone.
#[derive(Clone, Copy)]
enum Form {
    Now,
    Never,
    After { seconds: u64 },
    At(Reading),
    EndOf(Reading),
}

/// What a calendar and a clock show; not yet known to exist.
#[derive(Clone, Copy)]
struct Reading {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    offset_s: i64,
}

impl Reading {
    /// The instant in UTC seconds; none: there is no such day or time.
    fn utc_s(self) -> Option<i64> {
        let month = Month::try_from(self.month).ok()?;
        let date = Date::from_calendar_date(self.year.into(), month, self.day).ok()?;
        let leap = self.second == 60;
        let second = if leap { 59 } else { self.second };
        let local = date.with_hms(self.hour, self.minute, second).ok()?.assume_utc();
        let utc_s = local.unix_timestamp() - self.offset_s + i64::from(leap);
        // RFC 3339 5.7: leap seconds come at the end of a UTC day only.
        (!leap || utc_s % DAY_S == 0).then_some(utc_s)
    }
}

fn form(text: &str) -> Option<Form> {
    let day = map(date, |(year, month, day)| {
        Form::EndOf(Reading { year, month, day, hour: 0, minute: 0, second: 0, offset_s: 0 })
    });
    // The day comes after the instant, which begins with one.
    let forms = (
        value(Form::Now, tag("now")),
        value(Form::Never, tag("never")),
        map(relative, |seconds| Form::After { seconds }),
        map(iso_duration, |seconds| Form::After { seconds }),
        map(instant, Form::At),
        map(time_val_reading, Form::At),
        day,
    );
    let (_, form) = all_consuming(alt(forms)).parse(text).ok()?;
    Some(form)
}

/// `45s`, `90m`, `12h`, `7d`, in seconds.
fn relative(text: &str) -> IResult<&str, u64> {
    let unit_s = map(one_of("smhd"), |unit| match unit {
        's' => 1,
        'm' => MINUTE_S,
        'h' => HOUR_S,
        _ => DAY_S.unsigned_abs(),
    });
    map((number, unit_s), |(count, unit_s)| count.saturating_mul(unit_s)).parse(text)
}

/// ISO 8601 durations of a fixed length, `P[nD][T[nH][nM][nS]]` with at least one number, in seconds.
fn iso_duration(text: &str) -> IResult<&str, u64> {
    let part = |unit, unit_s: u64| opt(map(terminated(number, char(unit)), move |n| n.saturating_mul(unit_s)));
    let times = (part('H', HOUR_S), part('M', MINUTE_S), part('S', 1));
    let times = map_opt(preceded(char('T'), times), |(h, m, s)| sum(&[h, m, s]));
    let days = part('D', DAY_S.unsigned_abs());
    map_opt(preceded(char('P'), (days, opt(times))), |(days, times)| sum(&[days, times])).parse(text)
}

/// The sum of the parts that are there; none: no part is.
fn sum(parts: &[Option<u64>]) -> Option<u64> {
    parts.iter().flatten().copied().reduce(u64::saturating_add)
}

/// RFC 3339 5.6, `date-time`; its letters in either case.
fn instant(text: &str) -> IResult<&str, Reading> {
    let time = (digits(2), preceded(char(':'), digits(2)), preceded(char(':'), digits(2)));
    let clock = (preceded(one_of("Tt"), time), opt(fraction), offset_s);
    map((date, clock), |((year, month, day), ((hour, minute, second), _, offset_s))| Reading {
        year,
        month,
        day,
        hour,
        minute,
        second,
        offset_s,
    })
    .parse(text)
}

/// RFC 3339 5.6, `time-offset`, in seconds east.
fn offset_s(text: &str) -> IResult<&str, i64> {
    let hours = verify(digits::<u8>(2), |hours: &u8| *hours < 24);
    let minutes = verify(digits::<u8>(2), |minutes: &u8| *minutes < 60);
    let east = map((one_of("+-"), hours, char(':'), minutes), |(sign, hours, _, minutes)| {
        let offset_s = (i64::from(hours) * 60 + i64::from(minutes)) * 60;
        if sign == '-' { -offset_s } else { offset_s }
    });
    alt((value(0, one_of("Zz")), east)).parse(text)
}

/// RFC 3339 5.6, `full-date`.
fn date(text: &str) -> IResult<&str, (u16, u8, u8)> {
    (digits(4), preceded(char('-'), digits(2)), preceded(char('-'), digits(2))).parse(text)
}

/// RFC 3659 2.3, `time-val`.
fn time_val_reading(text: &str) -> IResult<&str, Reading> {
    let date = (digits(4), digits(2), digits(2));
    let time = terminated((digits(2), digits(2), digits(2)), opt(fraction));
    map((date, time), |((year, month, day), (hour, minute, second))| Reading {
        year,
        month,
        day,
        hour,
        minute,
        second,
        offset_s: 0,
    })
    .parse(text)
}

fn fraction(text: &str) -> IResult<&str, &str> {
    preceded(char('.'), digit1).parse(text)
}

/// Exactly so many digits, as a number.
fn digits<'a, N: core::str::FromStr>(
    count: usize,
) -> impl Parser<&'a str, Output = N, Error = nom::error::Error<&'a str>> {
    map_opt(take_while_m_n(count, count, |c: char| c.is_ascii_digit()), |digits: &str| digits.parse().ok())
}

/// Digits as a number, held at its largest.
fn number(text: &str) -> IResult<&str, u64> {
    map(digit1, |digits: &str| digits.parse().unwrap_or(u64::MAX)).parse(text)
}

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 3600;
const DAY_S: i64 = 86_400;
/// 0000-01-01T00:00:00Z.
const UTC_S_MIN: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z: years have four digits in every form (RFC 3339 1; RFC 3659 2.3).
const UTC_S_MAX: i64 = 253_402_300_799;

#[cfg(test)]
mod tests;
