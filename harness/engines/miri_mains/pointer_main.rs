//! One pointer program of the library `harness_cases`. An item's choice is its number.
#![no_main]

mod stream;

use stream::{Item, le};

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    let mut item = Item::NONE;
    if !item.take() {
        return 3;
    }
    match harness_cases::start(le!(item.choice) as usize, &mut |bytes| item.memory(bytes)) {
        Ok(sum) => item.ran(sum, b""),
        Err(trap) => item.trapped(trap.kind, trap.instruction, trap.operand, b""),
    }
    0
}
