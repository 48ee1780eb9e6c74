//! One bytecode program in the Rust VM.
//!
//! An item is its number, 1 if marks are wanted and 0 if not, the variant's name, and the
//! program's wire form.
#![no_main]

mod stream;

use harness_vm::command::result_line;
use harness_vm::variants::{VARIANTS, find};

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    match run_next() {
        Some(()) => 0,
        None => 3,
    }
}

fn run_next() -> Option<()> {
    let number = stream::take_number()?;
    let marked = stream::take_number()? != 0;
    let name = stream::take_bytes()?;
    let wire = stream::take_bytes()?;
    stream::begin(number);
    let variant = find(VARIANTS, &name)?;
    // SAFETY: this runs in an interpreter, which finds what is undefined.
    let finished = unsafe { harness_vm::run(variant, &wire, marked) }.ok()?;
    stream::finish(&result_line(&finished));
    Some(())
}
