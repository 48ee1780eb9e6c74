//! `pulley`: bytecode programs translated to the instructions of wasmtime's portable interpreter.
//!
//! Nobody here wrote that interpreter. A program becomes one function of it, which is then run
//! over the owner's memory; nothing of `harness-vm` runs in between but, where that is asked for,
//! a mark before each instruction.

#![deny(unsafe_op_in_unsafe_fn)]

mod translate;

use std::ptr::NonNull;

use harness_vm::marks::{Lines, Marks};
use harness_vm::memory::Memory;
use harness_vm::outcome::{Outcome, Trap, TrapKind};
use harness_vm::program::Program;
use harness_vm::variants::id;
use harness_vm::{Entry, wire};
use pulley_interpreter::interp::{DoneReason, Val, Vm, XRegVal};

use translate::{AT, END, STEPS, translate};

/// The table that engines run.
pub const VARIANTS: &[Entry] = &[Entry { name: "pulley", id: id("pulley"), execute }];

/// Bytes of the interpreter's own stack, of which no program uses any.
const STACK: usize = 1 << 10;

/// Runs `program` over `memory`, which holds its initial bytes.
///
/// # Safety
///
/// As for [`harness_vm::machine::execute`].
unsafe fn execute(memory: &mut Memory, program: &Program<'_>, marked: bool) -> Outcome {
    let size = memory.size() as u64;
    let mut opcodes = program.opcodes;
    let mut list = Vec::with_capacity(opcodes.len());
    while !opcodes.is_empty() {
        let opcode = opcodes.take();
        if let Some(trap) = harness_vm::compile::check(opcode, size, list.len()) {
            return Outcome::Trapped(trap);
        }
        list.push(opcode);
    }
    let mut code = translate(&list, program.step_limit, marked);
    let start = NonNull::from(code.as_mut_slice()).cast::<u8>();
    let mut vm = Vm::with_stack(STACK);
    // The interpreter keeps an address of it, and makes a pointer of that for every access.
    let base = Val::XReg(XRegVal::new_ptr(memory.bytes().as_mut_ptr()));
    let mut marks = Lines;
    // SAFETY: `call_run` follows, of a function with this one argument.
    unsafe { vm.call_start(&[base]) };
    let mut from = start;
    loop {
        // SAFETY: the function is well-formed, and every address in it has been checked.
        match unsafe { vm.call_run(from) } {
            DoneReason::ReturnToHost(()) => break,
            DoneReason::CallIndirectHost { resume, .. } => {
                marks.run(vm.state()[AT].get_u64() as usize);
                from = resume;
            }
            DoneReason::Trap { .. } => unreachable!("the translation checks before each division"),
        }
    }
    let kind = match vm.state()[END].get_u64() {
        translate::RAN => return Outcome::Ran { steps: vm.state()[STEPS].get_u64() },
        translate::STEP_LIMIT => TrapKind::StepLimit,
        translate::BY_ZERO => TrapKind::DivisionByZero,
        translate::OVERFLOW => TrapKind::DivisionOverflow,
        _ => TrapKind::AssertionFailed,
    };
    let operand = match kind {
        TrapKind::StepLimit => "step",
        TrapKind::DivisionByZero => "addr_op2",
        TrapKind::DivisionOverflow => "addr_res",
        _ => "addr",
    };
    let instruction = vm.state()[AT].get_u64() as usize;
    Outcome::Trapped(Trap { kind, instruction, operand })
}

/// The width in bytes at which an opcode works.
fn width(code: u8) -> u8 {
    wire::width(code) as u8
}
