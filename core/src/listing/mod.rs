//! Listings: what LIST, NLST, MLSD and MLST are asked, and the lines that they answer with.

pub mod facts;
pub mod glob;
pub mod long;
pub mod options;

use alloc::string::String;
use core::fmt::Write;

/// Adds a name as every listing shows it, NLST too: control characters, which could end its line, as `\xHH` (DESIGN 3).
pub fn push_name(line: &mut String, name: &str) {
    let is_plain = name.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    if is_plain {
        line.push_str(name);
        return;
    }
    for c in name.chars() {
        if c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(line, "\\x{byte:02x}").expect("writing to a String does not fail");
            }
        } else {
            line.push(c);
        }
    }
}

/// Two digits.
fn push_two(line: &mut String, number: u8) {
    line.push(char::from(b'0' + number / 10 % 10));
    line.push(char::from(b'0' + number % 10));
}

/// Four digits; a year is never more.
fn push_four(line: &mut String, number: u16) {
    let [high, low] = [number / 100, number % 100].map(|part| u8::try_from(part % 100).unwrap_or_default());
    push_two(line, high);
    push_two(line, low);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_line() {
        let mut line = String::new();
        push_name(&mut line, "a\r\n-rw b\0\u{85}\u{7f}ä\\");
        assert_eq!(line, "a\\x0d\\x0a-rw b\\x00\\xc2\\x85\\x7fä\\");
    }

    #[test]
    fn numbers_have_their_zeros() {
        let mut line = String::new();
        push_two(&mut line, 7);
        push_four(&mut line, 203);
        push_four(&mut line, 9999);
        assert_eq!(line, "0702039999");
    }
}
