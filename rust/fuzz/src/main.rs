//! Any bytes are a program or they are refused: nothing panics, and no number overflows.
//!
//! `CONTRIBUTING.md` says how it is built and called.

#![no_main]

use harness_vm::VARIANTS;
use harness_vm::variants::find;
use harness_vm::wire::decode;
use libfuzzer_sys::fuzz_target;

/// The step limit of what runs.
const STEPS: u8 = 50;

fuzz_target!(|data: &[u8]| {
    let mut wire = data.to_vec();
    if wire.len() >= 16 {
        // Otherwise nearly every program with a jump back would run for ever.
        let limit = u64::from(wire[8] % STEPS);
        wire[8..16].copy_from_slice(&limit.to_le_bytes());
    }
    let Ok(program) = decode(&wire) else {
        return;
    };
    let mut opcodes = program.opcodes;
    while !opcodes.is_empty() {
        opcodes.take();
    }
    let index = find(VARIANTS, b"index").expect("it is in the table");
    // SAFETY: the variant is safe code.
    let finished = unsafe { harness_vm::run(index, &wire, false) };
    assert_eq!(finished.expect("it has been decoded").memory.len(), program.initial.len());
});
