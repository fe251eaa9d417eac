//! Times as listings show them: by the server's clock and zone, often without a year, in the words of some language.

use super::Modified;
use nom::branch::alt;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::{char, one_of, space1};
use nom::combinator::{map, map_opt, not, opt, peek, value, verify};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use time::{Date, Month, OffsetDateTime};

/// A day and a time of day, as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// None: the last such day.
    pub(super) year: Option<u16>,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) second_of_day: u32,
    /// Seconds ahead of UTC, where that is shown.
    pub(super) zone_s: Option<i32>,
}

impl Shown {
    /// The instant, seen from `now_s` (UTC seconds). `None`: there is no such day.
    pub(super) fn at(self, now_s: i64) -> Option<Modified> {
        let zone_s = self.zone_s.map_or(0, i64::from);
        let at = |year| {
            let date = Date::from_calendar_date(year, Month::try_from(self.month).ok()?, self.day).ok()?;
            Some(date.midnight().assume_utc().unix_timestamp() + i64::from(self.second_of_day) - zone_s)
        };
        let at_s = self.year.map_or_else(
            || {
                // `ls` leaves the year out for what is about half a year old; no zone is a day ahead of ours. The 29th
                // of February may lie eight years back.
                let this_year = OffsetDateTime::from_unix_timestamp(now_s).ok()?.year();
                let years = (this_year.saturating_sub(8)..=this_year.saturating_add(1)).rev();
                years.filter_map(at).find(|at_s| *at_s <= now_s.saturating_add(DAY_S))
            },
            |year| at(i32::from(year)),
        )?;
        Some(Modified { at_s, exact: self.zone_s.is_some() })
    }

    fn of_day((year, month, day): (Option<u16>, u8, u8)) -> Self {
        Self { year, month, day, second_of_day: 0, zone_s: None }
    }

    /// The same day at this time.
    pub(super) fn with_clock(self, clock: Option<Clock>) -> Self {
        Self { second_of_day: clock.map_or(0, |clock| clock.second_of_day), ..self }
    }
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) second_of_day: u32,
    to_the_second: bool,
}

/// The date of an `ls -l`, in all the ways in which it is written, but one (see [`bare_numbers`]).
pub(super) fn unix(text: &str) -> IResult<&str, Shown> {
    preceded(opt((weekday, space1)), alt((month_day, day_month, year_month_day, two_numbers, day_month_year)))
        .parse(text)
}

/// `3 29 03:26`: a month and a day as numbers alone, which sizes and owners may be as well.
pub(super) fn bare_numbers(text: &str) -> IResult<&str, Shown> {
    let (text, (month, day)) = (terminated(month_number, space1), terminated(day_number, space1)).parse(text)?;
    year_or_clock(month, day).parse(text)
}

/// `Jan 01 12:00`, `Jan  1  2020`, `Oct 08, 2002 09:47`, `Jan 1 12:00:00 2020`, `4月 18日 2003年`.
fn month_day(text: &str) -> IResult<&str, Shown> {
    let asian_month = terminated(month_number, one_of("月월"));
    let (text, month) = terminated(alt((month_name, asian_month)), space1).parse(text)?;
    let (text, day) = day_number(text)?;
    let (text, _) = opt(one_of(".日일")).parse(text)?;
    if let Ok((text, (year, clock))) = (preceded((char(','), space1), year), preceded(space1, clock)).parse(text) {
        return Ok((text, Shown::of_day((Some(year), month, day)).with_clock(Some(clock))));
    }
    preceded((opt(char(',')), space1), year_or_clock(month, day)).parse(text)
}

/// `1 Jan 12:00`, `26. Juli, 20:10`, `2. Okt. 2003`.
fn day_month(text: &str) -> IResult<&str, Shown> {
    let (text, day) = terminated(day_number, (opt(char('.')), space1)).parse(text)?;
    let (text, month) = terminated(month_name, space1).parse(text)?;
    year_or_clock(month, day).parse(text)
}

/// `2020-01-31 12:00`, `2020/01/31 12:00`, `2020-01-31 12:00:00.000000000 +0100`, `2020-01-31`.
fn year_month_day(text: &str) -> IResult<&str, Shown> {
    let (text, shown) = year_first(text)?;
    let (text, clock) = opt(preceded(space1, clock)).parse(text)?;
    let (text, zone_s) = match clock {
        Some(Clock { to_the_second: true, .. }) => opt(preceded(space1, zone)).parse(text)?,
        _ => (text, None),
    };
    Ok((text, Shown { zone_s, ..shown.with_clock(clock) }))
}

/// `09-26 13:45`, `09-26 2000`.
fn two_numbers(text: &str) -> IResult<&str, Shown> {
    let (text, (month, day)) = (terminated(month_number, char('-')), terminated(day_number, space1)).parse(text)?;
    year_or_clock(month, day).parse(text)
}

/// `24-04-2003 17:12`, `24.04.2003 17:12`.
fn day_month_year(text: &str) -> IResult<&str, Shown> {
    let (text, shown) = verify(numbers, |shown: &Shown| shown.year.is_some()).parse(text)?;
    map(preceded(space1, clock), move |clock| shown.with_clock(Some(clock))).parse(text)
}

/// A date in which the year comes first: `2003-04-24`, `2003/04/24`.
pub(super) fn year_first(text: &str) -> IResult<&str, Shown> {
    let (text, (year, mark)) = (year, one_of("-/.")).parse(text)?;
    let (text, (month, day)) = (terminated(month_number, char(mark)), day_number).parse(text)?;
    Ok((text, Shown::of_day((Some(year), month, day))))
}

/// A date of three numbers in which the year comes last: `12-25-26`, `25/12/2026`, `25.12.2026`, `04-23-103`. Which of
/// the others is the month, tells a number above 12; else the month is first, but behind a dot.
pub(super) fn numbers(text: &str) -> IResult<&str, Shown> {
    let (text, (first, mark)) = (day_number, one_of("-/.")).parse(text)?;
    let (text, (second, year)) = (terminated(day_number, char(mark)), short_year).parse(text)?;
    let day_first = first > 12 || (mark == '.' && second <= 12);
    let (month, day) = if day_first { (second, first) } else { (first, second) };
    Ok((text, Shown::of_day((Some(year), month, day))))
}

/// A date of three numbers of two digits in which the year comes first and cannot be a day: `99/12/25`, `00/02/23`.
pub(super) fn short_year_first(text: &str) -> IResult<&str, Shown> {
    let short = verify(number::<2, 2>, |year| *year == 0 || *year > 31);
    let year = map_opt(short, |year| u16::try_from(if year < 70 { 2000 + year } else { 1900 + year }).ok());
    let (text, (year, month, day)) = (year, delimited(char('/'), month_number, char('/')), day_number).parse(text)?;
    Ok((text, Shown::of_day((Some(year), month, day))))
}

/// `19-NOV-2001`, as VMS has it.
pub(super) fn day_name_year(text: &str) -> IResult<&str, Shown> {
    let (text, (day, month, year)) = (day_number, delimited(char('-'), month_name, char('-')), year).parse(text)?;
    Ok((text, Shown::of_day((Some(year), month, day))))
}

/// `JAN-01-1980`, as VxWorks has it.
pub(super) fn name_day_year(text: &str) -> IResult<&str, Shown> {
    let (text, (month, day, year)) = (month_name, delimited(char('-'), day_number, char('-')), year).parse(text)?;
    Ok((text, Shown::of_day((Some(year), month, day))))
}

/// `10:30`, `10:30:13.64`, `10:30AM`, `3:47p`.
pub(super) fn clock(text: &str) -> IResult<&str, Clock> {
    let (text, (hour, minute)) = (number::<1, 2>, preceded(char(':'), number::<2, 2>)).parse(text)?;
    let (text, second) = opt(preceded(char(':'), number::<2, 2>)).parse(text)?;
    let (text, _) = opt((char('.'), take_while1(|c: char| c.is_ascii_digit()))).parse(text)?;
    let (text, half) = opt(half).parse(text)?;
    let hour = match half {
        Some(afternoon) if (1..=12).contains(&hour) => hour % 12 + if afternoon { 12 } else { 0 },
        _ => hour,
    };
    // 24:00 is the midnight that ends a day; :60 a leap second.
    let clock =
        Clock { second_of_day: hour * 3600 + minute * 60 + second.unwrap_or(0), to_the_second: second.is_some() };
    if hour > 24 || minute > 59 || second > Some(60) { failed(text) } else { Ok((text, clock)) }
}

/// Whether it is the second half of the day.
fn half(text: &str) -> IResult<&str, bool> {
    let letter = alt((value(false, one_of("aA")), value(true, one_of("pP"))));
    terminated(letter, (opt(one_of("mM")), peek(not(word_letter)))).parse(text)
}

fn year_or_clock<'a>(month: u8, day: u8) -> impl Parser<&'a str, Output = Shown, Error = nom::error::Error<&'a str>> {
    let of_year = map(terminated(year, opt(one_of("年년"))), move |year| Shown::of_day((Some(year), month, day)));
    let of_clock = map(clock_and_year, move |(clock, year)| Shown::of_day((year, month, day)).with_clock(Some(clock)));
    alt((of_clock, of_year))
}

/// A time of day; where it tells the seconds, the year may follow.
fn clock_and_year(text: &str) -> IResult<&str, (Clock, Option<u16>)> {
    let (text, clock) = clock(text)?;
    let (text, year) = if clock.to_the_second { opt(preceded(space1, year)).parse(text)? } else { (text, None) };
    Ok((text, (clock, year)))
}

/// `+0100`: seconds ahead of UTC.
fn zone(text: &str) -> IResult<&str, i32> {
    let sign = alt((value(1, char('+')), value(-1, char('-'))));
    let seconds = map_opt(number::<4, 4>, |digits| i32::try_from(digits / 100 * 3600 + digits % 100 * 60).ok());
    map((sign, seconds), |(sign, seconds)| sign * seconds).parse(text)
}

fn year(text: &str) -> IResult<&str, u16> {
    map_opt(verify(number::<4, 4>, |year| (1900..3000).contains(year)), |year| u16::try_from(year).ok()).parse(text)
}

/// Two digits are of 1970 to 2069, three count from 1900.
fn short_year(text: &str) -> IResult<&str, u16> {
    let short = map_opt(number::<2, 3>, |year| u16::try_from(if year < 70 { 2000 + year } else { 1900 + year }).ok());
    alt((year, short)).parse(text)
}

fn month_number(text: &str) -> IResult<&str, u8> {
    map_opt(verify(number::<1, 2>, |month| (1..=12).contains(month)), |month| u8::try_from(month).ok()).parse(text)
}

fn day_number(text: &str) -> IResult<&str, u8> {
    map_opt(verify(number::<1, 2>, |day| (1..=31).contains(day)), |day| u8::try_from(day).ok()).parse(text)
}

/// A month's name in some language, or the beginning of it.
fn month_name(text: &str) -> IResult<&str, u8> {
    let word = terminated(take_while1(char::is_alphabetic), opt(one_of(".,")));
    map_opt(word, |word: &str| {
        let word = word.to_lowercase();
        let found = MONTHS.iter().position(|names| names.split(' ').any(|name| word.starts_with(name)))?;
        u8::try_from(found + 1).ok()
    })
    .parse(text)
}

fn weekday(text: &str) -> IResult<&str, &str> {
    verify(take_while_m_n(3, 3, char::is_alphabetic), |day: &str| WEEKDAYS.contains(&day)).parse(text)
}

fn word_letter(text: &str) -> IResult<&str, &str> {
    take_while_m_n(1, 1, char::is_alphanumeric).parse(text)
}

/// A number of so many digits, and no digit after it.
fn number<const MIN: usize, const MAX: usize>(text: &str) -> IResult<&str, u32> {
    let digits = take_while_m_n(MIN, MAX, |c: char| c.is_ascii_digit());
    let no_more = not(take_while_m_n(1, 1, |c: char| c.is_ascii_digit()));
    map_opt(terminated(digits, no_more), |digits: &str| digits.parse().ok()).parse(text)
}

fn failed<T>(text: &str) -> IResult<&str, T> {
    Err(nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Verify)))
}

const DAY_S: i64 = 24 * 3600;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// How months begin in English, German, French, Spanish, Italian, Portuguese, Dutch and the northern languages.
const MONTHS: [&str; 12] = [
    "jan gen ene",
    "feb fév fev",
    "mar mär mae mrz mrt",
    "apr avr abr",
    "may mai mei maj mag",
    "jun juin giu",
    "jul juil lug",
    "aug aoû aou ago",
    "sep set",
    "oct okt ott out",
    "nov",
    "dec déc dez dic des",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date;
    use alloc::string::String;

    /// 2027-01-01T00:00:00Z.
    const NOW_S: i64 = 1_798_761_600;

    fn read(text: &str, now_s: i64) -> String {
        let (rest, shown) = unix(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(rest, "", "{text}");
        let at = shown.at(now_s).unwrap_or_else(|| panic!("{text}: no such day"));
        date::rfc3339(at.at_s)
    }

    #[test]
    fn a_date_is_read_however_it_is_written() {
        for (text, instant) in [
            ("Jan 01  2020", "2020-01-01T00:00:00Z"),
            ("Dec 31 23:59", "2026-12-31T23:59:00Z"),
            ("Jan  1 23:59", "2027-01-01T23:59:00Z"),
            ("Jan  2 00:01", "2026-01-02T00:01:00Z"),
            ("Jun 30 9:05", "2026-06-30T09:05:00Z"),
            ("Feb 29 12:00", "2024-02-29T12:00:00Z"),
            ("Oct 08, 2002 09:47", "2002-10-08T09:47:00Z"),
            ("Thu Jan  1 12:00:01 2026", "2026-01-01T12:00:01Z"),
            ("Jan  1 12:00:01 2026", "2026-01-01T12:00:01Z"),
            ("26. Juli, 20:10", "2026-07-26T20:10:00Z"),
            ("2.   Okt.  2003", "2003-10-02T00:00:00Z"),
            ("14 févr. 2019", "2019-02-14T00:00:00Z"),
            ("1 août 07:30", "2026-08-01T07:30:00Z"),
            ("Mär 3 2021", "2021-03-03T00:00:00Z"),
            ("4月 18日 2003年", "2003-04-18T00:00:00Z"),
            ("12월 31일 10:20", "2026-12-31T10:20:00Z"),
            ("2005-06-07 21:22", "2005-06-07T21:22:00Z"),
            ("1999/10/12 17:12", "1999-10-12T17:12:00Z"),
            ("2019-05-01", "2019-05-01T00:00:00Z"),
            ("2020-01-31 12:00:00.000000000 +0130", "2020-01-31T10:30:00Z"),
            ("09-26 2000", "2000-09-26T00:00:00Z"),
            ("09-26 13:45", "2026-09-26T13:45:00Z"),
            ("24-04-2003 17:12", "2003-04-24T17:12:00Z"),
            ("03.04.2003 17:12", "2003-04-03T17:12:00Z"),
        ] {
            assert_eq!(read(text, NOW_S), instant, "{text}");
        }
    }

    #[test]
    fn only_a_zone_makes_a_time_exact() {
        let exact = |text| unix(text).unwrap().1.at(NOW_S).unwrap().exact;
        assert!(exact("2020-01-31 12:00:00 -0800"));
        assert!(!exact("2020-01-31 12:00:00") && !exact("Jan 01 2020"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "Jan", "Jan 1", "Jan 32 2020", "Foo 1 2020", "Jan 1 25:00", "13-13 2000", "1 2 3", "Jan 1 202"]
        {
            assert!(unix(text).is_err(), "{text}");
        }
        assert_eq!(unix("Feb 30 2020").unwrap().1.at(NOW_S), None);
        for now_s in [i64::MIN, i64::MAX, -1, 0] {
            let _ = unix("Feb 29 12:00").unwrap().1.at(now_s);
        }
    }

    #[test]
    fn a_day_has_two_halves() {
        let clock = |text| clock(text).unwrap().1.second_of_day / 60;
        assert_eq!(
            [clock("12:09AM"), clock("12:09PM"), clock("03:47PM"), clock("03:47"), clock("3:47p")],
            [9, 729, 947, 227, 947]
        );
    }
}
