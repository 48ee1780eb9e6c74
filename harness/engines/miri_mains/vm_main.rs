//! One bytecode program in the Rust VM.
//!
//! An item's choice is the variant's id, doubled, and 1 more if marks are wanted; its place is the
//! variant's in the table, if anybody knows; its bytes are the program's wire form, its count that
//! of the opcodes. The crate `variants` is the VM's own, or a user's.
#![no_main]

mod stream;

use harness_vm::Outcome;
use harness_vm::memory::Memory;
use harness_vm::program::Program;
use harness_vm::variants::find_by_id;
use harness_vm::wire::decode_checked;
use stream::{Item, RAN, le};
use variants::VARIANTS;

/// Bytes of a program that need no allocation, which takes an interpreter as long as ten additions.
const ROOM: usize = 1024;

unsafe extern "C" {
    // An interpreter looks long for each function that it is asked for: as the VM's memory is.
    fn posix_memalign(base: *mut *mut u8, alignment: usize, size: usize) -> i32;
    fn free(base: *mut u8);
}

/// Where Miri starts, without the runtime's own start.
#[unsafe(no_mangle)]
fn miri_start(_: isize, _: *const *const u8) -> isize {
    let mut item = Item::NONE;
    if !item.take() {
        return 3;
    }
    let length = le!(item.length) as usize;
    let mut room = [0; ROOM];
    let mut base = &raw mut room as *mut u8;
    // SAFETY: the alignment is a power of two and a multiple of a pointer's size; any size is right.
    if length > ROOM && unsafe { posix_memalign(&raw mut base, 16, length) } != 0 {
        return 3;
    }
    // SAFETY: it has so many bytes.
    if !unsafe { stream::fill(base, length) } {
        return 3;
    }
    // SAFETY: `fill` has written them; the harness encodes no program that would not be accepted,
    // and were it otherwise, the interpreter would find it.
    let program = unsafe { decode_checked(base, length, le!(item.count) as usize) };
    let done = run(&item, &program);
    if length > ROOM {
        // SAFETY: it was allocated above, and is used no more.
        unsafe { free(base) };
    }
    done
}

fn run(item: &Item, program: &Program<'_>) -> isize {
    let choice = le!(item.choice);
    let (place, id, marked) = (le!(item.place) as usize, choice >> 1, choice & 1 != 0);
    // A user's own table has other places.
    let mut variant = &VARIANTS[place];
    if variant.id != id {
        match find_by_id(VARIANTS, id) {
            Some(found) => variant = found,
            None => return 3,
        }
    }
    // As `harness_vm::run`, but the owner's bytes are written where they lie.
    let mut memory = Memory::holding(program.initial);
    // SAFETY: this runs in an interpreter, which finds what is undefined.
    let outcome = unsafe { (variant.execute)(&mut memory, program, marked) };
    let size = memory.size();
    let owner = memory.bytes();
    match outcome {
        Outcome::Ran { steps } => {
            // SAFETY: the owner's borrow is of so many bytes.
            unsafe { item.record(RAN, steps, &raw const *owner as *const u8, size, 0, 0) }
        }
        Outcome::Trapped(trap) => {
            item.trapped(trap.kind.name(), trap.instruction as u64, trap.operand, owner)
        }
    }
    0
}
