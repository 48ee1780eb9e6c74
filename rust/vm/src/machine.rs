//! The machine: compiles a program in a variant, then executes what came of it.

use crate::compile::{Compiled, compile, fault};
use crate::computed::Computed;
use crate::host;
use crate::marks::{ADDR, ADDR_OP, ADDR_RES, AT_OP, FRAME, Lines, Marks, Silent};
use crate::memory::{List, Memory};
use crate::operator::Undivided;
use crate::outcome::{Finished, Outcome, Trap, TrapKind};
use crate::pointers::Registers;
use crate::program::{Op, Program, Value};
use crate::variant::Variant;
use crate::variants::Entry;
use crate::wire::{self, ALLOCATE, CALL, GROW, HOST_ENTER, HOST_STEPS, Malformed, RETURN};

/// How many calls, and entries of the VM by the host, there may be that have not been left.
pub const CALL_DEPTH_LIMIT: usize = 64;

/// Runs the program that `wire` holds, over memory of its own, in one variant.
///
/// # Safety
///
/// The variant is sound; or this runs where undefined behaviour may happen, such as in an
/// interpreter that finds it, or in a process that nothing else depends on.
pub unsafe fn run(variant: &Entry, wire: &[u8], marked: bool) -> Result<Finished, Malformed> {
    let program = wire::decode(wire)?;
    let mut memory = Memory::holding(program.initial);
    // SAFETY: the caller's promise is the one that is asked for.
    let outcome = unsafe { (variant.execute)(&mut memory, &program, marked) };
    Ok(Finished { outcome, memory: memory.bytes().to_vec() })
}

/// Runs `program` in the variant `V` over `memory`, which holds the program's initial bytes.
///
/// `marked` writes a line to standard error before each step (see [`crate::marks`]).
///
/// # Safety
///
/// As for [`run`].
pub unsafe fn execute<'m, V: Variant<'m>>(
    memory: &mut Memory,
    program: &Program<'_>,
    marked: bool,
) -> Outcome {
    if marked {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { execute_with::<V, _>(memory, program, &mut Lines) }
    } else {
        // SAFETY: as above.
        unsafe { execute_with::<V, _>(memory, program, &mut Silent) }
    }
}

unsafe fn execute_with<'m, V: Variant<'m>, M: Marks>(
    memory: &mut Memory,
    program: &Program<'_>,
    marks: &mut M,
) -> Outcome {
    // SAFETY: while the run lasts, the owner touches the memory only to let it grow, and then
    // lends it anew.
    let view = V::over(unsafe { memory.lend() });
    let compiled = List::with_room_for(program.opcodes.count);
    let pointers = Registers::null();
    let size = memory.size();
    let mut run = Run { view, compiled, program, memory, pointers, marks, steps: 0 };
    // SAFETY: the memory is the view's, and aligned; the caller's promise is the rest.
    let trap = unsafe { compile(&mut run.view, program, size, &mut run.compiled, run.marks) };
    if let Some(trap) = trap {
        return Outcome::Trapped(trap);
    }
    run.view.compiled(program.initial);
    // SAFETY: the caller's promise is the one that is asked for.
    match unsafe { Run::from(&raw mut run, 0, 0) } {
        Ok(_) => Outcome::Ran { steps: run.steps },
        Err(trap) => Outcome::Trapped(trap),
    }
}

/// One run of a program.
struct Run<'r, 'm, V: Variant<'m>, M> {
    view: V,
    compiled: List<Compiled<'m, V>>,
    program: &'r Program<'r>,
    /// What `view` is over.
    memory: &'r mut Memory,
    pointers: Registers,
    marks: &'r mut M,
    /// Instructions that have been begun.
    steps: u64,
}

/// How a part of a run ended, if by no trap.
enum Ended {
    /// By a return.
    Returned,
    /// By the end of the program.
    Halted,
}

impl<'m, V: Variant<'m>, M: Marks> Run<'_, 'm, V, M> {
    /// Executes from the instruction with the index `at` on. depth: of calls and
    /// of the host's entries.
    ///
    /// By a pointer: borrows in borrows, as deep as calls are, would cost an interpreter a look at
    /// all of them in every access.
    ///
    /// # Safety
    ///
    /// Nothing else uses the run meanwhile; and as for [`run`].
    unsafe fn from(this: *mut Self, mut at: usize, depth: usize) -> Result<Ended, Trap> {
        // SAFETY: the caller's promise is the one that is asked for.
        let mut run = unsafe { &mut *this };
        let count = run.program.opcodes.count;
        let limit = run.program.step_limit;
        while at < count {
            if run.steps == limit {
                let kind = TrapKind::StepLimit;
                return Err(Trap { kind, instruction: at, operand: "step" });
            }
            run.steps += 1;
            if M::LISTENS {
                run.marks.run(at);
            }
            // Not taken out: an interpreter looks at every field of what is copied.
            // SAFETY: all `count` of them have been compiled.
            let Compiled { width, op } = unsafe { &(*run.compiled.values)[at] };
            macro_rules! step {
                ($field:ident) => {{
                    // SAFETY: the operation has this width.
                    let op = unsafe { &op.$field };
                    // SAFETY: `view` compiled it.
                    unsafe { step(&mut run.view, op, at, count, run.marks) }
                }};
            }
            let following = match width {
                1 => step!(one),
                2 => step!(two),
                4 => step!(four),
                8 => step!(eight),
                _ => {
                    // SAFETY: there is no other width, so it is no `Op`.
                    let computed = unsafe { op.computed };
                    match computed.code {
                        RETURN => return Ok(Ended::Returned),
                        HOST_ENTER | CALL => {
                            let ended = if computed.code == CALL {
                                // SAFETY: `view` compiled it, and `run` is used no more.
                                unsafe { Run::call(this, computed, at, depth) }
                            } else {
                                // SAFETY: as above.
                                unsafe { Run::enter(this, computed, at, depth) }
                            };
                            // SAFETY: whatever used the run meanwhile has ended.
                            run = unsafe { &mut *this };
                            match ended {
                                Ok(Ended::Returned) => Ok(at + 1),
                                Ok(Ended::Halted) => Ok(count),
                                Err(trap) => Err(trap),
                            }
                        }
                        // SAFETY: `view` compiled it.
                        _ => unsafe { run.computed(computed, at) },
                    }
                }
            };
            // Not by `?`, which is a call.
            match following {
                Ok(next) => at = next,
                Err(trap) => return Err(trap),
            }
        }
        Ok(Ended::Halted)
    }

    /// Executes an instruction that is no [`Op`] and no entry, and gives the next one's index.
    unsafe fn computed(&mut self, computed: Computed<'m, V>, at: usize) -> Result<usize, Trap> {
        match computed.code {
            GROW => {
                // SAFETY: `view` compiled it, and its first operand is a `u64`.
                let more = unsafe { computed.number(&mut self.view, ADDR_OP, self.marks) };
                let size = self.memory.size() as u64;
                // SAFETY: the operands are made anew before any is used.
                let grown = more == 0 || unsafe { self.grow(more) };
                // SAFETY: its last operand is a `u64`.
                unsafe { self.result::<u64>(at, if grown { size } else { u64::MAX }) }
            }
            HOST_STEPS => {
                let steps = self.steps;
                // SAFETY: its last operand is a `u64`.
                unsafe { self.result::<u64>(at, steps) }
            }
            ALLOCATE.. => {
                let (view, memory) = (&mut self.view, &*self.memory);
                // SAFETY: `view` compiled it; what the program does with its pointers is its own.
                let done = unsafe { self.pointers.step(computed, view, memory, self.marks) };
                if let Err((kind, operand)) = done {
                    return Err(Trap { kind, instruction: at, operand });
                }
            }
            _ => {
                let size = self.memory.size() as u64;
                // SAFETY: `view` compiled it.
                let done = unsafe { computed.step(&mut self.view, size, self.marks) };
                if let Err((kind, operand)) = done {
                    return Err(Trap { kind, instruction: at, operand });
                }
            }
        }
        Ok(at + 1)
    }

    /// Lets the memory grow, by a byte at least, and compiles everything anew if it could.
    unsafe fn grow(&mut self, more: u64) -> bool {
        if !self.memory.grow(more) {
            return false;
        }
        // SAFETY: as in `execute_with`.
        let memory = unsafe { self.memory.lend() };
        self.view.grown(memory);
        let (view, compiled, size) = (&mut self.view, &mut self.compiled, self.memory.size());
        // SAFETY: as before it grew.
        let trap = unsafe { compile(view, self.program, size, compiled, self.marks) };
        assert!(trap.is_none(), "what was in bounds still is");
        true
    }

    /// Goes on at the call's target, with a frame that lasts until the return from there.
    ///
    /// # Safety
    ///
    /// As for `from`; `view` compiled the opcode.
    unsafe fn call(
        this: *mut Self,
        computed: Computed<'m, V>,
        at: usize,
        depth: usize,
    ) -> Result<Ended, Trap> {
        // SAFETY: the caller's promise is the one that is asked for.
        let run = unsafe { &mut *this };
        // SAFETY: `view` compiled it, and its operand is a `u64`.
        let argument = unsafe { computed.number(&mut run.view, ADDR_OP, run.marks) };
        if depth == CALL_DEPTH_LIMIT {
            return Err(Trap { kind: TrapKind::CallDepth, instruction: at, operand: "target" });
        }
        let [size, register] = computed.numbers;
        let frame = run.pointers.frame(argument, size);
        let before = run.pointers.get(register);
        run.pointers.set(register, frame);
        // SAFETY: the caller's promise is the one that is asked for; `run` is used no more.
        let ended = unsafe { Run::from(this, computed.target, depth + 1) };
        let Ok(Ended::Returned) = ended else {
            return ended;
        };
        // SAFETY: whatever used the run meanwhile has ended.
        let run = unsafe { &mut *this };
        if M::LISTENS {
            run.marks.operand(FRAME);
        }
        // SAFETY: it was allocated above, and the program must not give it back.
        unsafe { run.pointers.free(frame) };
        run.pointers.set(register, before);
        Ok(Ended::Returned)
    }

    /// Lets the host enter the VM, and then read a byte.
    ///
    /// # Safety
    ///
    /// As for `call`.
    unsafe fn enter(
        this: *mut Self,
        computed: Computed<'m, V>,
        at: usize,
        depth: usize,
    ) -> Result<Ended, Trap> {
        // SAFETY: the caller's promise is the one that is asked for.
        let run = unsafe { &mut *this };
        // SAFETY: `view` compiled it, and its first operand is a `u64`.
        let addr = unsafe { computed.number(&mut run.view, ADDR_OP, run.marks) };
        let size = run.memory.size();
        if let Some(kind) = fault(addr, 1, size as u64) {
            return Err(Trap { kind, instruction: at, operand: "at_op" });
        }
        if depth == CALL_DEPTH_LIMIT {
            return Err(Trap { kind: TrapKind::CallDepth, instruction: at, operand: "target" });
        }
        // No truncation: it is less than the memory's size.
        let addr = addr as usize;
        if M::LISTENS {
            run.marks.operand(AT_OP);
        }
        let kept = run.view.kept_by_host(size);
        // SAFETY: the caller's promise is the one that is asked for; `run` is used no more.
        let ended = unsafe { Run::from(this, computed.target, depth + 1) };
        let Ok(Ended::Returned) = ended else {
            return ended;
        };
        // SAFETY: whatever used the run meanwhile has ended.
        let run = unsafe { &mut *this };
        if M::LISTENS {
            run.marks.run(at);
            // To take the borrow out is the first use of it.
            run.marks.operand(AT_OP);
        }
        let byte = if let Some(memory) = kept {
            host::read(memory, addr)
        } else {
            let size = run.memory.size();
            // SAFETY: it is still in bounds.
            unsafe { run.view.host_read(addr, size, run.marks) }
        };
        // SAFETY: its last operand is a `u8`.
        unsafe { run.result::<u8>(at, byte) };
        Ok(Ended::Returned)
    }

    /// Stores the result of the instruction with the index `at`, whose operands may have been
    /// made anew since it began.
    ///
    /// # Safety
    ///
    /// It is a [`Computed`], whose last operand is a `T`.
    unsafe fn result<T: Value>(&mut self, at: usize, value: impl Into<u64>) {
        if M::LISTENS {
            self.marks.run(at);
            self.marks.operand(ADDR_RES);
        }
        // SAFETY: the caller's promise is the one that is asked for.
        let computed = unsafe { self.compiled.get(at).op.computed };
        // SAFETY: as above.
        let result = unsafe { computed.last::<T>() };
        // SAFETY: `view` made it.
        unsafe { self.view.store(result, T::of(value.into())) };
    }
}

/// Executes the instruction with the index `at` of `count` and gives the next one's.
///
/// # Safety
///
/// `view` made the operands.
unsafe fn step<'m, V: Variant<'m>, T: Value, M: Marks>(
    view: &mut V,
    op: &Op<T, V::Operand<T>>,
    at: usize,
    count: usize,
    marks: &mut M,
) -> Result<usize, Trap> {
    match *op {
        Op::WriteConst { addr, value } => {
            if M::LISTENS {
                marks.operand(ADDR);
            }
            // SAFETY: the caller's promise is the one that is asked for.
            unsafe { view.store(addr, value) }
        }
        Op::Unary { operator, addr_op, addr_res } => {
            // SAFETY: as above.
            unsafe { view.unary(operator, addr_op, addr_res, marks) }
        }
        Op::Binary { operator, addr_op1, addr_op2, addr_res } => {
            // SAFETY: as above.
            let done = unsafe { view.binary(operator, addr_op1, addr_op2, addr_res, marks) };
            if let Err(undivided) = done {
                let (kind, operand) = match undivided {
                    Undivided::ByZero => (TrapKind::DivisionByZero, "addr_op2"),
                    Undivided::Overflow => (TrapKind::DivisionOverflow, "addr_res"),
                };
                return Err(Trap { kind, instruction: at, operand });
            }
        }
        Op::Branch { on_zero, addr, target } => {
            if M::LISTENS {
                marks.operand(ADDR);
            }
            // SAFETY: as above.
            let value = unsafe { view.load(addr) };
            if value.is_zero() == on_zero {
                return Ok(target);
            }
        }
        Op::Assert { addr } => {
            if M::LISTENS {
                marks.operand(ADDR);
            }
            // SAFETY: as above.
            let value = unsafe { view.load(addr) };
            if value.is_zero() {
                let kind = TrapKind::AssertionFailed;
                return Err(Trap { kind, instruction: at, operand: "addr" });
            }
        }
        Op::Jump { target } => return Ok(target),
        Op::Halt => return Ok(count),
        Op::Operand { .. } => unreachable!("an operand is no instruction"),
    }
    Ok(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Name;
    use crate::variants::Raw;

    /// Keeps the marks as the lines that they are printed as.
    #[derive(Default)]
    struct Recorder {
        lines: Vec<String>,
    }

    impl Marks for Recorder {
        fn compile(&mut self, instruction: usize) {
            self.lines.push(format!("compile {instruction}"));
        }

        fn run(&mut self, instruction: usize) {
            self.lines.push(format!("run {instruction}"));
        }

        fn operand(&mut self, name: &'static Name) {
            self.lines.push(format!("  {}", name.text));
        }
    }

    /// The marks of a program over four bytes.
    fn marks_of(opcodes: &[(u8, &[u64], &[u8])]) -> Vec<String> {
        let mut wire = vec![4, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (opcode, addresses, value) in opcodes {
            wire.push(*opcode);
            for address in *addresses {
                wire.extend(address.to_le_bytes());
            }
            wire.extend(*value);
        }
        let program = wire::decode(&wire).expect("well-formed");
        let mut memory = Memory::holding(program.initial);
        let mut recorder = Recorder::default();
        // SAFETY: `Raw` is sound.
        let _ = unsafe { execute_with::<Raw, _>(&mut memory, &program, &mut recorder) };
        recorder.lines
    }

    #[test]
    fn every_step_is_marked_before_it_happens() {
        let write: (u8, &[u64], &[u8]) = (wire::WRITE_CONST, &[1], &[7]);
        let add: (u8, &[u64], &[u8]) = (wire::ADD + 1, &[0, 0, 2], &[]);
        let lines = [
            "compile 0",
            "  addr",
            "compile 1",
            "  addr_op1",
            "  addr_op2",
            "  addr_res",
            "run 0",
            "  addr",
            "run 1",
            "  addr_op1",
            "  addr_op2",
            "  addr_res",
        ];
        assert_eq!(marks_of(&[write, add]), lines);
    }

    #[test]
    fn a_trapped_opcode_is_neither_compiled_nor_is_anything_run() {
        let write: (u8, &[u64], &[u8]) = (wire::WRITE_CONST, &[3], &[7]);
        let beyond: (u8, &[u64], &[u8]) = (wire::WRITE_CONST, &[4], &[7]);
        assert_eq!(marks_of(&[write, beyond]), ["compile 0", "  addr"]);
    }
}
