//! A number of bytes as a setting.

use super::values::Form;

/// A number of bytes, at most 1 PiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size(pub(crate) u64);

impl Form for Size {
    fn form() -> String {
        "a number of bytes such as \"100MiB\" (B, KiB, MiB, GiB or TiB), up to 1024TiB".to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let (_, shift) = UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()))?;
        let bytes = number.parse::<u64>().ok()?.checked_mul(1 << shift)?;
        (bytes <= BYTES_MAX).then_some(Self(bytes))
    }
}

/// A number of bytes that is the most; none: no bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeBound(pub(crate) Option<u64>);

impl Form for SizeBound {
    fn form() -> String {
        format!("{}, or \"none\"", Size::form())
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" { Some(Self(None)) } else { Size::read(text).map(|size| Self(Some(size.0))) }
    }
}

/// A number of bytes from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<const MIN: u32, const MAX: u32> Form for Bytes<MIN, MAX> {
    fn form() -> String {
        format!("a number of bytes such as \"8KiB\" (B, KiB or MiB), from {MIN} to {MAX}")
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = u32::try_from(Size::read(text)?.0).ok()?;
        (MIN..=MAX).contains(&bytes).then_some(Self(bytes))
    }
}

/// Each unit and the power of two that it stands for.
const UNITS: [(&str, u32); 6] = [("", 0), ("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

const BYTES_MAX: u64 = 1 << 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<u64> {
        Size::read(text).map(|size| size.0)
    }

    #[test]
    fn a_size_has_a_unit_of_bytes_or_none() {
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("17B"), Some(17));
        assert_eq!(read("100 mib"), Some(100 << 20));
        assert_eq!(read("1024TiB"), Some(1 << 50));
        for wrong in ["", "MiB", "-1", "1.5GiB", "1MB", "1025TiB", "99999999999999999999", "16777216TiB"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
