//! Items from standard input, and what came of them to standard error.
//!
//! Miri's own messages go to standard error, too, so that all of it is in order there. Plain
//! `read` and `write`: the standard library's streams cost an interpreter dearly.

unsafe extern "C" {
    fn read(descriptor: i32, buffer: *mut u8, size: usize) -> isize;
    fn write(descriptor: i32, buffer: *const u8, size: usize) -> isize;
}

/// What stands before an item's number when it begins.
const BEGIN: &[u8] = b"harness-begin ";

/// What stands before an item's result.
const RESULT: &[u8] = b"harness-result ";

/// Fills the buffer; None if the input ends before.
fn fill(buffer: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    // Miri reads ahead, so that one call may come back with less than there is.
    while filled < buffer.len() {
        let rest = &mut buffer[filled..];
        // SAFETY: pointer and length are those of one slice.
        let count = unsafe { read(0, rest.as_mut_ptr(), rest.len()) };
        if count <= 0 {
            return None;
        }
        filled += count as usize;
    }
    Some(())
}

/// The next number, little-endian.
pub fn take_number() -> Option<u32> {
    let mut bytes = [0; 4];
    fill(&mut bytes)?;
    Some(u32::from_le_bytes(bytes))
}

/// The next bytes, with their number before them.
#[allow(dead_code)]
pub fn take_bytes() -> Option<Vec<u8>> {
    let mut bytes = vec![0; take_number()? as usize];
    fill(&mut bytes)?;
    Some(bytes)
}

/// Says which item begins.
pub fn begin(number: u32) {
    // An array: an interpreter takes a millisecond for an allocation.
    let mut line = [0; 32];
    let mut at = 0;
    while at < BEGIN.len() {
        line[at] = BEGIN[at];
        at += 1;
    }
    let mut scale = 1;
    while number / scale >= 10 {
        scale *= 10;
    }
    while scale > 0 {
        line[at] = b'0' + (number / scale % 10) as u8;
        at += 1;
        scale /= 10;
    }
    line[at] = b'\n';
    emit(&line[..at + 1]);
}

/// Says what came of an item. line: with its end.
pub fn finish(line: &[u8]) {
    emit(RESULT);
    emit(line);
}

fn emit(bytes: &[u8]) {
    let mut written = 0;
    while written < bytes.len() {
        let rest = &bytes[written..];
        // SAFETY: pointer and length are those of one slice.
        let count = unsafe { write(2, rest.as_ptr(), rest.len()) };
        if count <= 0 {
            return;
        }
        written += count as usize;
    }
}
