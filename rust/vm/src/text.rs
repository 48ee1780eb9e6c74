//! Text without the formatting machinery, which costs an interpreter dearly.

use std::io::Write;

/// Appends `value` in decimal.
pub fn push_decimal(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut rest = value;
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends `bytes` as two lower-case digits each, or `-` for none.
pub fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if bytes.is_empty() {
        out.push(b'-');
    }
    let mut at = 0;
    while at < bytes.len() {
        out.push(DIGITS[usize::from(bytes[at] >> 4)]);
        out.push(DIGITS[usize::from(bytes[at] & 15)]);
        at += 1;
    }
}

/// The bytes that `text` has two hexadecimal digits each for; None if it is anything else.
pub fn read_hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut at = 0;
    while at < text.len() {
        bytes.push(read_digit(text[at])? << 4 | read_digit(text[at + 1])?);
        at += 2;
    }
    Some(bytes)
}

fn read_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Writes `bytes` to standard output at once.
pub fn write_output(bytes: &[u8]) -> std::io::Result<()> {
    let mut output = std::io::stdout();
    output.write_all(bytes)?;
    output.flush()
}

/// Writes `bytes` to standard error at once; there is nowhere to report a failure of that.
pub fn write_error(bytes: &[u8]) {
    let _ = std::io::stderr().write_all(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        push_decimal(&mut out, value);
        out
    }

    #[test]
    fn decimal_has_no_leading_zero_and_reaches_the_largest_value() {
        assert_eq!(decimal(0), b"0");
        assert_eq!(decimal(10), b"10");
        assert_eq!(decimal(u64::MAX), b"18446744073709551615");
    }

    #[test]
    fn hex_goes_both_ways() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut text = Vec::new();
        push_hex(&mut text, &bytes);
        assert_eq!(&text[..6], b"000102");
        assert_eq!(read_hex(&text), Some(bytes.clone()));
        assert_eq!(read_hex(&text.to_ascii_uppercase()), Some(bytes));
    }

    #[test]
    fn no_bytes_are_a_dash_and_bad_digits_are_refused() {
        let mut text = Vec::new();
        push_hex(&mut text, &[]);
        assert_eq!(text, b"-");
        assert_eq!(read_hex(b""), Some(vec![]));
        for bad in [&b"0"[..], b"0g", b"-", b" 0", b"+1"] {
            assert_eq!(read_hex(bad), None);
        }
    }
}
