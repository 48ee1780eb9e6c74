//! `harness-vm`: one bytecode program, or a batch of them, in the variants of this crate.

fn main() -> std::process::ExitCode {
    harness_vm::command::main(harness_vm::VARIANTS)
}
