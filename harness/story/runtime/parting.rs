//! A story that does not return, under Miri: an interpreter for each drawn state, as it ends the
//! whole program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::draws::Draws;
use crate::telling::{Phase, phase as begin};

/// How often another thread lets the story go on before it counts as one that always does.
const TURNS: u32 = 500;

/// What this run is for, by the command line: a block and its phase; empty for all that returns.
pub fn step() -> String {
    std::env::args().skip(1).collect::<Vec<_>>().join(" ")
}

/// Tell the story in one state, of which the interpreter's seed decides.
pub fn tell(phase: Phase, drive: unsafe fn(Phase, &mut Draws) -> Result<(), &'static str>) -> ! {
    begin(&format!("{phase:?}"));
    let local = 0_u8;
    let mut draws = Draws::new((&raw const local).addr() as u64);
    thread::spawn(|| {
        (0..TURNS).for_each(|_| thread::yield_now());
        std::process::exit(0);
    });
    std::panic::set_hook(Box::new(|_| {}));
    // SAFETY: that the story is defined is what is being found out. By its type it does not
    // return, so that what comes back is a panic; whether it may is for the third rule.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drive(phase, &mut draws) }));
    std::process::exit(0)
}
