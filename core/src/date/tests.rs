use super::*;

/// 2026-12-24T00:00:00Z.
const EVE: i64 = 1_798_070_400;
const NOW: Now = Now { monotonic_ms: 0, utc_s: EVE };

#[track_caller]
fn check(text: &str, expected: Result<i64, DateError>) {
    assert_eq!(ExpiryDate::parse(text, NOW), expected.map(ExpiryDate::At), "{text}");
}

#[test]
fn rfc_3339_with_any_offset() {
    for text in [
        "2026-12-24T18:30:00Z",
        "2026-12-24t18:30:00z",
        "2026-12-24T18:30:00+00:00",
        "2026-12-24T18:30:00-00:00",
        "2026-12-24T19:30:00+01:00",
        "2026-12-25T00:15:00+05:45",
        "2026-12-24T13:30:00-05:00",
        "2026-12-24T18:30:00.999999999999999999999Z",
    ] {
        check(text, Ok(EVE + 66_600));
    }
    check("2028-02-29T00:00:00Z", Ok(1_835_395_200));
}

#[test]
fn a_day_ends_at_the_next_midnight() {
    check("2026-12-24", Ok(EVE + 86_400));
    check("2026-12-31", Ok(EVE + 8 * 86_400));
    check("2026-12-23", Ok(EVE));
    check("2026-12-22", Err(DateError::Past));
    assert_eq!(time_val(EVE + 86_400), "20261225000000");
}

#[test]
fn fourteen_digits_are_utc() {
    check("20261224183000", Ok(EVE + 66_600));
    check("20261224183000.75", Ok(EVE + 66_600));
}

#[test]
fn relative_forms_count_from_now() {
    for (text, seconds) in [
        ("45s", 45),
        ("90m", 5400),
        ("12h", 43_200),
        ("7d", 604_800),
        ("P7D", 604_800),
        ("P0D", 0),
        ("PT90M", 5400),
        ("PT168H", 604_800),
        ("P1DT2H3M4S", 93_784),
        ("0s", 0),
        ("007d", 604_800),
    ] {
        check(text, Ok(EVE + seconds));
    }
    check("now", Ok(EVE));
    assert_eq!(ExpiryDate::parse("never", NOW), Ok(ExpiryDate::Never));
}

#[test]
fn the_present_second_is_not_past_and_the_one_before_is() {
    check("2026-12-24T00:00:00Z", Ok(EVE));
    check("2026-12-23T23:59:59Z", Err(DateError::Past));
    check("20261223235959", Err(DateError::Past));
    check("1970-01-01T00:00:00Z", Err(DateError::Past));
    check("1969-12-31T23:59:59Z", Err(DateError::Malformed));
}

#[test]
fn the_year_9999_is_the_last() {
    check("9999-12-31T23:59:59Z", Ok(UTC_S_MAX));
    check("9999-12-31T23:59:59-00:01", Err(DateError::Malformed));
    check("9999-12-30", Ok(UTC_S_MAX - 86_399));
    check("9999-12-31", Err(DateError::Malformed));
    let left = UTC_S_MAX - EVE;
    check(&format!("{left}s"), Ok(UTC_S_MAX));
    check(&format!("{}s", left + 1), Err(DateError::Malformed));
    for text in ["18446744073709551616d", "99999999999999999999999999s", "P18446744073709551615DT1S"] {
        check(text, Err(DateError::Malformed));
    }
    let far = Now { monotonic_ms: 0, utc_s: i64::MAX };
    assert_eq!(ExpiryDate::parse("18446744073709551615s", far), Err(DateError::Malformed));
    assert_eq!(ExpiryDate::parse("now", far), Ok(ExpiryDate::At(i64::MAX)));
}

#[test]
fn a_leap_second_is_the_second_after_it() {
    check("2026-12-31T23:59:60Z", Ok(EVE + 8 * 86_400));
    check("2027-01-01T00:59:60.5+01:00", Ok(EVE + 8 * 86_400));
    check("20261231235960", Ok(EVE + 8 * 86_400));
    check("2026-12-31T23:58:60Z", Err(DateError::Malformed));
    check("2026-12-31T23:59:61Z", Err(DateError::Malformed));
}

#[test]
fn what_no_calendar_has_is_malformed_but_has_the_form() {
    for text in [
        "2027-02-29",
        "2027-00-01",
        "2027-13-01",
        "2027-01-00",
        "2027-01-32",
        "2027-01-01T24:00:00Z",
        "2027-01-01T00:60:00Z",
        "20270229000000",
        "9999999999999999999d",
    ] {
        check(text, Err(DateError::Malformed));
        assert!(is_date_form(text), "{text}");
    }
}

#[test]
fn no_other_text_is_a_date() {
    for text in [
        "",
        " ",
        "1798156800",
        "1798156800000",
        "20261225",
        "202612250000",
        "2026122500000",
        "202612250000000",
        "20261225000000.",
        "20261225000000Z",
        "2026-12-25 ",
        " 2026-12-25",
        "2026-12-25T10:00:00",
        "2026-12-25T10:00Z",
        "2026-12-25 10:00:00Z",
        "2026-12-25T10:00:00.Z",
        "2026-12-25T10:00:00+0100",
        "2026-12-25T10:00:00+24:00",
        "2026-12-25T10:00:00+00:60",
        "26-12-25",
        "12026-12-25",
        "+2026-12-25",
        "-7d",
        "+7d",
        "7",
        "7D",
        "7w",
        "1.5h",
        "7d12h",
        "P",
        "PT",
        "P7",
        "P7DT",
        "P1Y",
        "P1M",
        "P1W",
        "p7d",
        "P-7D",
        "PT1S2M",
        "Now",
        "NEVER",
        "nowish",
        "٧d",
        "tomorrow",
    ] {
        check(text, Err(DateError::Malformed));
        assert!(!is_date_form(text), "{text}");
    }
}

#[test]
fn instants_are_shown_and_read_back() {
    for (utc_s, shown, digits) in [
        (0, "1970-01-01T00:00:00Z", "19700101000000"),
        (-1, "1969-12-31T23:59:59Z", "19691231235959"),
        (EVE + 86_400, "2026-12-25T00:00:00Z", "20261225000000"),
        (UTC_S_MAX, "9999-12-31T23:59:59Z", "99991231235959"),
        (UTC_S_MIN, "0000-01-01T00:00:00Z", "00000101000000"),
    ] {
        assert_eq!(rfc3339(utc_s), shown);
        assert_eq!(time_val(utc_s), digits);
        assert_eq!(parse_time_val(digits), Some(utc_s));
    }
    assert_eq!(time_val(i64::MAX), "99991231235959");
    assert_eq!(rfc3339(i64::MIN), "0000-01-01T00:00:00Z");
    assert_eq!(parse_time_val("20261225000000.999"), Some(EVE + 86_400));
    for text in ["", "2026122500000", "202612250000000", "20261325000000", "20261225000000.", "7d"] {
        assert_eq!(parse_time_val(text), None, "{text}");
    }
}
