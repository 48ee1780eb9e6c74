//! A bytecode VM over one static memory, and the ways in which it can touch that memory.
//!
//! A program's opcodes are first compiled, one by one, to instructions that hold ready-made
//! pointers instead of addresses; then the instructions run in a loop. What such a pointer is,
//! how it is made and how it is used is a [`Variant`]; everything else is the same for all.
//!
//! | module | what it holds |
//! |---|---|
//! | [`program`] | values, opcodes, programs |
//! | [`operator`] | what instructions make of values |
//! | [`wire`] | the bytes that a program travels as |
//! | [`variant`] | the trait that a variant implements |
//! | [`variants`] | the variants, a file each, and their table |
//! | [`compile`] | bounds and alignment, the compile phase |
//! | [`machine`] | a run: the compile phase, then the run phase |
//! | [`outcome`] | how a run ends |
//! | [`computed`] | instructions whose addresses are values in the memory |
//! | [`pointers`] | instructions on pointers: blocks that a program allocates |
//! | [`memory`] | allocations: what a program runs over, and what it is compiled to |
//! | [`blocks`] | bytes that are moved together, and the memory as the host is lent it |
//! | [`host`] | what the host does to a memory that it is lent |
//! | `little_endian` | the order of the bytes on the wire |
//! | [`marks`] | lines on standard error that say which instruction is next |
//! | [`text`] | hexadecimal, decimal, and plain writes to the standard streams |
//! | [`command`] | the command line, which a crate with variants of its own can call too |
//!
//! Miri interprets this crate. An access or an addition takes it a microsecond, a call 5 to 15,
//! a look into an enumeration with data as long, a range of a slice 100, a `Vec` 1,700. So the
//! hot paths are plain `while`, indexing and structures, and there are two allocations a run.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod blocks;
pub mod command;
pub mod compile;
pub mod computed;
pub mod host;
mod little_endian;
pub mod machine;
pub mod marks;
pub mod memory;
pub mod operator;
pub mod outcome;
pub mod pointers;
pub mod program;
pub mod text;
pub mod variant;
pub mod variants;
pub mod wire;

pub use machine::run;
pub use marks::Marks;
pub use outcome::{Finished, Outcome};
pub use program::{Op, Value};
pub use variant::Variant;
pub use variants::{Entry, VARIANTS};
