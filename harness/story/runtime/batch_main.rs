//! One story of the library `harness_stories`. An item's choice is its number.
#![no_main]

mod stream;

use stream::{Item, le};

static mut ITEM: Item = Item::NONE;

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    // SAFETY: there is one thread yet, and nothing else has a reference to it.
    if !unsafe { &mut *&raw mut ITEM }.take() {
        return 3;
    }
    harness_stories::saying::begin(record);
    // SAFETY: from here on it is only read.
    harness_stories::start(le!(unsafe { &*&raw const ITEM }.choice) as usize);
    harness_stories::saying::end()
}

fn record(said: &[u8]) {
    // SAFETY: as above.
    unsafe { &*&raw const ITEM }.ran(0, said);
}
