//! The machine: checks and compiles every opcode, then executes what came of them.

use crate::marks::{Lines, Marks, Silent};
use crate::memory::Memory;
use crate::program::{Op, Opcode, Program, Value};
use crate::variant::Variant;
use crate::variants::Entry;
use crate::wire::{self, Malformed};

/// Why an operand cannot be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapKind {
    /// Some of its bytes lie beyond the memory.
    OutOfBounds,
    /// Its address is not a multiple of its width.
    Misaligned,
}

impl TrapKind {
    /// The kind's name in results.
    pub fn name(self) -> &'static str {
        match self {
            TrapKind::OutOfBounds => "out-of-bounds",
            TrapKind::Misaligned => "misaligned",
        }
    }
}

/// The first operand of a program that cannot be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What is wrong with it.
    pub kind: TrapKind,
    /// The index of its opcode.
    pub instruction: usize,
    /// Its name in the opcode.
    pub operand: &'static str,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every instruction was executed.
    Ran {
        /// How many.
        steps: u64,
    },
    /// No instruction was executed, and the memory is as it was.
    Trapped(Trap),
}

/// How a run ended, and what the owner then read in the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// The memory's bytes.
    pub memory: Vec<u8>,
}

/// Runs the program that `wire` holds, over memory of its own, in one variant.
///
/// # Safety
///
/// The variant is sound; or this runs where undefined behaviour may happen, such as in an
/// interpreter that finds it, or in a process that nothing else depends on.
pub unsafe fn run(variant: &Entry, wire: &[u8], marked: bool) -> Result<Finished, Malformed> {
    let program = wire::decode(wire)?;
    let mut memory = Memory::holding(program.initial);
    let owner = memory.bytes();
    // SAFETY: the caller's promise is the one that is asked for.
    let outcome = unsafe { (variant.execute)(owner, &program, marked) };
    Ok(Finished { outcome, memory: owner.to_vec() })
}

/// Runs `program` in the variant `V` over `memory`, which holds the program's initial bytes.
///
/// `marked` writes a line to standard error before each step (see [`crate::marks`]).
///
/// # Safety
///
/// As for [`run`]; and the memory's base is a multiple of [`crate::memory::ALIGNMENT`].
pub unsafe fn execute<'m, V: Variant<'m>>(
    memory: &'m mut [u8],
    program: &Program<'_>,
    marked: bool,
) -> Outcome {
    let finished = if marked {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { execute_with::<V, _>(memory, program, &mut Lines::new()) }
    } else {
        // SAFETY: as above.
        unsafe { execute_with::<V, _>(memory, program, &mut Silent) }
    };
    match finished {
        Ok(steps) => Outcome::Ran { steps },
        Err(trap) => Outcome::Trapped(trap),
    }
}

/// An opcode whose operands the variant has made.
enum Compiled<'m, V: Variant<'m>> {
    U8(Op<u8, V::Operand<u8>>),
    U16(Op<u16, V::Operand<u16>>),
}

unsafe fn execute_with<'m, V: Variant<'m>, M: Marks>(
    memory: &'m mut [u8],
    program: &Program<'_>,
    marks: &mut M,
) -> Result<u64, Trap> {
    let size = memory.len() as u64;
    let mut view = V::over(memory);
    // Slices, since indexing a vector takes an interpreter some calls.
    let opcodes = program.opcodes.as_slice();
    let count = opcodes.len();
    let mut compiled: Vec<Compiled<'m, V>> = Vec::with_capacity(count);
    let mut at = 0;
    while at < count {
        compiled.push(match opcodes[at] {
            Opcode::U8(op) => Compiled::U8(compile(&mut view, op, size, at, marks)?),
            Opcode::U16(op) => Compiled::U16(compile(&mut view, op, size, at, marks)?),
        });
        at += 1;
    }
    view.compiled(program.initial);
    let instructions = compiled.as_slice();
    at = 0;
    while at < count {
        marks.run(at);
        match instructions[at] {
            // SAFETY: `view` compiled it.
            Compiled::U8(op) => unsafe { step(&mut view, op, marks) },
            // SAFETY: `view` compiled it.
            Compiled::U16(op) => unsafe { step(&mut view, op, marks) },
        }
        at += 1;
    }
    Ok(count as u64)
}

/// Checks the operands of the opcode with index `at` and has the variant make them.
fn compile<'m, V: Variant<'m>, T: Value>(
    view: &mut V,
    op: Op<T, u64>,
    size: u64,
    at: usize,
    marks: &mut impl Marks,
) -> Result<Op<T, V::Operand<T>>, Trap> {
    let check = |operand, addr| check::<T>(at, operand, addr, size);
    let op = match op {
        Op::WriteConst { addr, value } => Op::WriteConst { addr: check("addr", addr)?, value },
        Op::Add { addr_op1, addr_op2, addr_res } => Op::Add {
            addr_op1: check("addr_op1", addr_op1)?,
            addr_op2: check("addr_op2", addr_op2)?,
            addr_res: check("addr_res", addr_res)?,
        },
    };
    marks.compile(at);
    // SAFETY: every operand has been checked, and the memory's base is aligned.
    Ok(unsafe { view.compile(op, marks) })
}

/// The address as an index, if a `T` there is in bounds and aligned.
fn check<T: Value>(
    instruction: usize,
    operand: &'static str,
    addr: u64,
    size: u64,
) -> Result<usize, Trap> {
    let width = T::SIZE as u64;
    if size < width || addr > size - width {
        return Err(Trap { kind: TrapKind::OutOfBounds, instruction, operand });
    }
    if addr % width != 0 {
        return Err(Trap { kind: TrapKind::Misaligned, instruction, operand });
    }
    // No truncation: it is at most the length of a slice.
    Ok(addr as usize)
}

/// # Safety
///
/// `view` made the operands.
unsafe fn step<'m, V: Variant<'m>, T: Value>(
    view: &mut V,
    op: Op<T, V::Operand<T>>,
    marks: &mut impl Marks,
) {
    match op {
        Op::WriteConst { addr, value } => {
            marks.operand("addr");
            // SAFETY: the caller's promise is the one that is asked for.
            unsafe { view.store(addr, value) }
        }
        Op::Add { addr_op1, addr_op2, addr_res } => {
            // SAFETY: as above.
            unsafe { view.add(addr_op1, addr_op2, addr_res, marks) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

        fn operand(&mut self, name: &'static str) {
            self.lines.push(format!("  {name}"));
        }
    }

    fn marks_of(opcodes: Vec<Opcode>) -> Vec<String> {
        let initial = [0; 4];
        let mut memory = Memory::holding(&initial);
        let program = Program { initial: &initial, opcodes };
        let mut recorder = Recorder::default();
        // SAFETY: `Raw` is sound.
        let _ = unsafe { execute_with::<Raw, _>(memory.bytes(), &program, &mut recorder) };
        recorder.lines
    }

    #[test]
    fn every_step_is_marked_before_it_happens() {
        let write = Opcode::U8(Op::WriteConst { addr: 1, value: 7 });
        let add = Opcode::U16(Op::Add { addr_op1: 0, addr_op2: 0, addr_res: 2 });
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
        assert_eq!(marks_of(vec![write, add]), lines);
    }

    #[test]
    fn a_trapped_opcode_is_neither_compiled_nor_is_anything_run() {
        let write = Opcode::U8(Op::WriteConst { addr: 3, value: 7 });
        let beyond = Opcode::U8(Op::WriteConst { addr: 4, value: 7 });
        assert_eq!(marks_of(vec![write, beyond]), ["compile 0", "  addr"]);
    }

    fn kind<T: Value>(addr: u64, size: u64) -> Option<TrapKind> {
        check::<T>(0, "addr", addr, size).err().map(|trap| trap.kind)
    }

    #[test]
    fn bounds_do_not_wrap_and_come_before_alignment() {
        let (beyond, odd) = (Some(TrapKind::OutOfBounds), Some(TrapKind::Misaligned));
        assert_eq!(kind::<u8>(3, 4), None);
        assert_eq!(kind::<u8>(4, 4), beyond);
        assert_eq!(kind::<u8>(0, 0), beyond);
        assert_eq!(kind::<u8>(u64::MAX, 4), beyond);
        assert_eq!(kind::<u16>(2, 4), None);
        assert_eq!(kind::<u16>(1, 4), odd);
        assert_eq!(kind::<u16>(3, 4), beyond);
        assert_eq!(kind::<u16>(0, 1), beyond);
        assert_eq!(kind::<u16>(u64::MAX, 4), beyond);
        assert_eq!(kind::<u16>(u64::MAX - 2, u64::MAX), odd);
    }
}
