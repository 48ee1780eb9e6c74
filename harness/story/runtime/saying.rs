//! What a run says, where it is the only one of its process.

unsafe extern "C" {
    fn write(file: i32, from: *const u8, size: usize) -> isize;
}

/// Say one line, given with its end, by one write: other interpreters may write as well. A
/// `println!`, or a `format!`, takes Miri far longer.
pub fn say(pieces: &[&str]) {
    let line = pieces.concat();
    // SAFETY: the pointer and the length are those of `line`.
    unsafe { write(1, line.as_ptr(), line.len()) };
}

/// Come to the end, before the program's own.
pub fn end() -> ! {
    std::process::exit(0)
}
