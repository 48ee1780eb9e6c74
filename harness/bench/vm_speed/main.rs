//! How long programs take in the variants of the VM, natively.
//!
//! Each line of standard input is `VARIANT HEX`, a program's wire form; each line of output
//! `NANOSECONDS STEPS HEXMEMORY`: of one run, how many instructions were executed, and what the
//! memory held at last. Decoding is not measured; making the memory ready and compiling are.

use std::hint::black_box;
use std::io::BufRead;
use std::time::{Duration, Instant};

use harness_vm::memory::Memory;
use harness_vm::program::Program;
use harness_vm::variants::{Entry, find};
use harness_vm::{Outcome, VARIANTS, text, wire};

/// A stretch lasts as long at least: a clock's own time is little beside it, and most are over
/// before the system gives the processor to somebody else.
const STRETCH: Duration = Duration::from_micros(50);

/// Stretches to a measurement; the least disturbed one counts.
const STRETCHES: u32 = 64;

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (variant, hex) = line.split_once(' ').expect("two words");
        let variant = find(VARIANTS, variant.as_bytes()).expect("a variant of the table");
        let bytes = text::read_hex(hex.as_bytes()).expect("hexadecimal digits");
        let program = wire::decode(&bytes).expect("a program");
        measure(variant, &program);
    }
}

fn measure(variant: &Entry, program: &Program<'_>) {
    let mut runs = 1;
    let mut best = stretch(variant, program, runs);
    while best < STRETCH {
        runs *= 2;
        best = stretch(variant, program, runs);
    }
    for _ in 1..STRETCHES {
        best = best.min(stretch(variant, program, runs));
    }
    let mut memory = Memory::holding(program.initial);
    let steps = match execute(variant, &mut memory, program) {
        Outcome::Ran { steps } => steps,
        Outcome::Trapped(_) => 0,
    };
    let hex: String = memory.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{} {steps} {hex}", best.as_nanos() as f64 / f64::from(runs));
}

fn stretch(variant: &Entry, program: &Program<'_>, runs: u32) -> Duration {
    let started = Instant::now();
    for _ in 0..runs {
        let mut memory = Memory::holding(black_box(program.initial));
        black_box(execute(variant, &mut memory, black_box(program)));
        black_box(memory.bytes());
    }
    started.elapsed()
}

fn execute(variant: &Entry, memory: &mut Memory, program: &Program<'_>) -> Outcome {
    // SAFETY: the process exists to run the variant; one that is not sound has a process of its
    // own.
    unsafe { (variant.execute)(memory, program, false) }
}
