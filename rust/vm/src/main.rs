//! `harness-vm`: one bytecode program, or a batch of them, in the variants of this crate.

#![cfg_attr(miri, no_main)]

harness_vm::main!(harness_vm::VARIANTS);
