//! Text without the formatting machinery, which costs an interpreter dearly.
//!
//! For the same reason text is put into slices that have room for it: a vector that grows takes
//! dozens of calls for each byte.

use std::ptr::copy_nonoverlapping;

/// Room that [`put_decimal`] needs.
pub const DECIMAL: usize = 20;

/// Puts `word` into `out` from `at` on, and says where it ends.
///
/// Panics if there is no room.
pub fn put(out: &mut [u8], at: usize, word: &[u8]) -> usize {
    let (room, length) = (out.len(), word.len());
    assert!(at <= room && length <= room - at);
    // SAFETY: `at` lies in `out`.
    let to = unsafe { out.as_mut_ptr().add(at) };
    // SAFETY: there is room, and what is borrowed mutably overlaps nothing.
    unsafe { copy_nonoverlapping(word.as_ptr(), to, length) };
    at + length
}

/// Puts `value` in decimal into `out` from `at` on, and says where it ends.
pub fn put_decimal(out: &mut [u8], at: usize, value: u64) -> usize {
    let mut end = at + 1;
    let mut rest = value / 10;
    while rest > 0 {
        end += 1;
        rest /= 10;
    }
    let mut digit = end;
    rest = value;
    while digit > at {
        digit -= 1;
        out[digit] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    end
}

/// Puts `bytes` as two lower-case digits each, or `-` for none, into `out` from `at` on, and
/// says where that ends.
pub fn put_hex(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let count = bytes.len();
    if count == 0 {
        out[at] = b'-';
        return at + 1;
    }
    let mut to = at;
    let mut from = 0;
    while from < count {
        let byte = bytes[from] as usize;
        out[to] = DIGITS[byte >> 4];
        out[to + 1] = DIGITS[byte & 15];
        to += 2;
        from += 1;
    }
    to
}

/// The bytes that `text` has two hexadecimal digits each for; None if it is anything else.
pub fn read_hex(text: &[u8]) -> Option<Vec<u8>> {
    let length = text.len();
    if length % 2 != 0 {
        return None;
    }
    let count = length / 2;
    let mut read = vec![0; count];
    let bytes: &mut [u8] = &mut read;
    let mut seen = 0;
    let mut from = 0;
    let mut at = 0;
    while at < count {
        let high = VALUES[text[from] as usize];
        let low = VALUES[text[from + 1] as usize];
        seen |= high | low;
        bytes[at] = high << 4 | low;
        from += 2;
        at += 1;
    }
    // One look at the end instead of two for each byte.
    if seen == NO_DIGIT { None } else { Some(read) }
}

/// Has bits that no value of a digit has.
const NO_DIGIT: u8 = 0xff;

/// The value of each character as a hexadecimal digit.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value];
        values[digit as usize] = value as u8;
        values[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    values
};

/// Writes `bytes` to standard output at once.
pub fn write_output(bytes: &[u8]) -> std::io::Result<()> {
    unbuffered(1, bytes)
}

/// Writes `bytes` to standard error at once; there is nowhere to report a failure of that.
pub fn write_error(bytes: &[u8]) {
    let _ = unbuffered(2, bytes);
}

/// As [`write_error`], without a slice, whose every use takes an interpreter as long as the write.
///
/// # Safety
///
/// `from` is valid for reads of `length` bytes.
pub unsafe fn write_error_from(from: *const u8, length: usize) {
    #[cfg(unix)]
    {
        // SAFETY: the caller's promise is the one that is asked for.
        let count = unsafe { write(2, from, length) };
        if count == length as isize {
            return;
        }
    }
    // SAFETY: as above.
    write_error(unsafe { std::slice::from_raw_parts(from, length) });
}

#[cfg(unix)]
unsafe extern "C" {
    fn write(descriptor: i32, buffer: *const u8, size: usize) -> isize;
}

/// Writes to a standard stream by its descriptor: the buffers in between are what makes a first
/// `println!` expensive to interpret.
#[cfg(unix)]
fn unbuffered(descriptor: i32, bytes: &[u8]) -> std::io::Result<()> {
    let mut from = bytes.as_ptr();
    let mut left = bytes.len();
    while left > 0 {
        // SAFETY: so many bytes of the slice are left.
        let count = unsafe { write(descriptor, from, left) };
        if count < 0 {
            let error = std::io::Error::last_os_error();
            if error.kind() == std::io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        from = from.wrapping_add(count as usize);
        left -= count as usize;
    }
    Ok(())
}

#[cfg(not(unix))]
fn unbuffered(descriptor: i32, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;

    if descriptor == 2 {
        return std::io::stderr().write_all(bytes);
    }
    let mut output = std::io::stdout();
    output.write_all(bytes)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: u64) -> String {
        let mut out = [b'x'; DECIMAL + 2];
        let end = put_decimal(&mut out, 1, value);
        assert_eq!((out[0], out[end]), (b'x', b'x'));
        String::from_utf8_lossy(&out[1..end]).into_owned()
    }

    #[test]
    fn decimal_has_no_leading_zero_and_reaches_the_largest_value() {
        for value in [0, 9, 10, 99, 100, 12345, u64::MAX] {
            assert_eq!(decimal(value), value.to_string());
        }
    }

    #[test]
    fn a_word_is_put_where_it_belongs() {
        let mut out = *b"......";
        assert_eq!(put(&mut out, 1, b"abc"), 4);
        assert_eq!(&out, b".abc..");
    }

    #[test]
    fn hex_goes_both_ways() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut out = [0; 512];
        assert_eq!(put_hex(&mut out, 0, &bytes), 512);
        assert_eq!(&out[..6], b"000102");
        assert_eq!(read_hex(&out), Some(bytes.clone()));
        assert_eq!(read_hex(&out.to_ascii_uppercase()), Some(bytes));
    }

    #[test]
    fn no_bytes_are_a_dash_and_bad_digits_are_refused() {
        let mut out = *b"..";
        assert_eq!(put_hex(&mut out, 0, &[]), 1);
        assert_eq!(&out, b"-.");
        assert_eq!(read_hex(b""), Some(vec![]));
        for bad in [&b"0"[..], b"0g", b"-", b" 0", b"+1"] {
            assert_eq!(read_hex(bad), None);
        }
    }
}
