//! One bytecode program in the Rust VM.
//!
//! An item's choice is the variant's id, doubled, and 1 more if marks are wanted; its place is the
//! variant's in the table, if anybody knows; its bytes are the program's wire form, its count that
//! of the opcodes. The crate `variants` is the VM's own, or a user's.
#![no_main]

mod stream;

use std::ptr::slice_from_raw_parts;

use harness_vm::Outcome;
use harness_vm::memory::Memory;
use harness_vm::variants::find_at;
use harness_vm::wire::decode_checked;
use stream::Item;
use variants::VARIANTS;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn free(base: *mut u8);
}

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    let mut item = Item::NONE;
    if !item.take() {
        return 3;
    }
    let length = item.length();
    // SAFETY: it takes any size.
    let base = unsafe { malloc(length) };
    // SAFETY: it has so many bytes.
    if !unsafe { stream::fill(base, length) } {
        return 3;
    }
    // SAFETY: `fill` has written them.
    let bytes = unsafe { &*slice_from_raw_parts(base, length) };
    let done = run(&item, bytes);
    // SAFETY: it comes from `malloc`, and is used no more.
    unsafe { free(base) };
    done
}

fn run(item: &Item, wire: &[u8]) -> isize {
    let Some(variant) = find_at(VARIANTS, item.place(), item.choice() >> 1) else {
        return 3;
    };
    // SAFETY: the harness encodes no program that would not be accepted; and were it otherwise, the
    // interpreter would find it.
    let program = unsafe { decode_checked(wire, item.count()) };
    // As `harness_vm::run`, but the owner's bytes are written where they lie.
    let mut memory = Memory::holding(program.initial);
    let marked = item.choice() & 1 != 0;
    // SAFETY: this runs in an interpreter, which finds what is undefined.
    let outcome = unsafe { (variant.execute)(&mut memory, &program, marked) };
    let owner = memory.bytes();
    match outcome {
        Outcome::Ran { steps } => item.ran(steps, owner),
        Outcome::Trapped(trap) => {
            item.trapped(trap.kind.name(), trap.instruction as u64, trap.operand, owner)
        }
    }
    0
}
