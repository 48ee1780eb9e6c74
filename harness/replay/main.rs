//! One input in a function of the user's.
//!
//! An item's bytes are the input; its choice is a mark that stands before the record of its end,
//! as the function may write to standard output whatever it likes.
#![no_main]

mod entry;
#[allow(dead_code, reason = "a function has neither memory nor traps")]
mod stream;

use std::ptr::slice_from_raw_parts;

use entry::ENTRY;
use stream::{Item, le};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn free(base: *mut u8);
    fn write(descriptor: i32, buffer: *const u8, size: usize) -> isize;
}

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    let mut item = Item::NONE;
    if !item.take() {
        return 3;
    }
    let length = le!(item.length) as usize;
    if length == 0 {
        ENTRY(&[]);
        return done(&item);
    }
    // An allocation of its own, so that an access beyond the input's end is out of bounds.
    // SAFETY: it takes any size.
    let base = unsafe { malloc(length) };
    // SAFETY: it has so many bytes.
    if !unsafe { stream::fill(base, length) } {
        return 3;
    }
    // SAFETY: `fill` has written them.
    ENTRY(unsafe { &*slice_from_raw_parts(base, length) });
    // SAFETY: it comes from `malloc`, and is used no more.
    unsafe { free(base) };
    done(&item)
}

/// Says that the function has come back.
fn done(item: &Item) -> isize {
    // As it came.
    let mark = item.choice.to_ne_bytes();
    // SAFETY: pointer and length are those of one array. The function may have left a line on
    // standard error without its end.
    unsafe { write(2, b"\n".as_ptr(), 1) };
    // SAFETY: pointer and length are those of one array.
    unsafe { write(1, mark.as_ptr(), mark.len()) };
    item.ran(0, &[]);
    0
}
