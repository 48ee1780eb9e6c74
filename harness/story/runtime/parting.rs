//! A story that does not return, under Miri: an interpreter for each drawn state, as it ends the
//! whole program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::thread;

use crate::draws::Draws;
use crate::telling::{Phase, phase as begin};
use crate::threads::start;

/// How often another thread lets the story go on before it counts as one that always does.
const TURNS: u32 = 500;

/// Whether this run is for a block's phase, by the command line.
pub fn is_for(block: &str, phase: &str) -> bool {
    let mut words = std::env::args().skip(1);
    words.next().as_deref() == Some(block) && words.next().as_deref() == Some(phase)
}

/// Tell the story in one state, of which the interpreter's seed decides.
pub fn tell(
    phase: Phase,
    name: &str,
    drive: unsafe fn(Phase, &mut Draws) -> Result<(), &'static str>,
) -> ! {
    begin(name);
    let local = 0_u8;
    let mut draws = Draws::new((&raw const local).addr() as u64);
    start(watch, null_mut());
    std::panic::set_hook(Box::new(|_| {}));
    // SAFETY: that the story is defined is what is being found out. By its type it does not
    // return, so that what comes back is a panic; whether it may is for the third rule.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drive(phase, &mut draws) }));
    std::process::exit(0)
}

extern "C" fn watch(_: *mut u8) -> *mut u8 {
    (0..TURNS).for_each(|_| thread::yield_now());
    std::process::exit(0)
}
