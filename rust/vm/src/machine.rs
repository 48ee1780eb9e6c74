//! The machine: checks and compiles every opcode, then executes what came of them.

use crate::marks::{Lines, Marks, Silent};
use crate::memory::{Memory, Slots};
use crate::program::{Op, Opcode, Program, Value};
use crate::variant::Variant;
use crate::variants::Entry;
use crate::wire::{self, ADD_U8, ADD_U16, Malformed, WRITE_CONST_U8, WRITE_CONST_U16};

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
    if marked {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { execute_with::<V, _>(memory, program, &mut Lines::new()) }
    } else {
        // SAFETY: as above.
        unsafe { execute_with::<V, _>(memory, program, &mut Silent) }
    }
}

/// An opcode whose operands the variant has made.
struct Compiled<'m, V: Variant<'m>> {
    is_wide: bool,
    op: Width<'m, V>,
}

/// `wide` where the operands are those of `u16`.
union Width<'m, V: Variant<'m>> {
    narrow: Op<u8, V::Operand<u8>>,
    wide: Op<u16, V::Operand<u16>>,
}

// Not derived: the variant itself need not be `Copy`.
impl<'m, V: Variant<'m>> Clone for Compiled<'m, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'m, V: Variant<'m>> Copy for Compiled<'m, V> {}

impl<'m, V: Variant<'m>> Clone for Width<'m, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'m, V: Variant<'m>> Copy for Width<'m, V> {}

unsafe fn execute_with<'m, V: Variant<'m>, M: Marks>(
    memory: &'m mut [u8],
    program: &Program<'_>,
    marks: &mut M,
) -> Outcome {
    let size = memory.len() as u64;
    let mut view = V::over(memory);
    let mut opcodes = program.opcodes;
    let count = opcodes.len();
    let mut compiled = Slots::<Compiled<'m, V>>::with_room_for(count);
    let mut at = 0;
    while at < count {
        let opcode = opcodes.take();
        let is_wide = opcode.code == WRITE_CONST_U16 || opcode.code == ADD_U16;
        let width = if is_wide { 2 } else { 1 };
        let [first, second, third] = opcode.addresses;
        // Behind a single operand there are zeros, which are wrong only where it is, too.
        if size < width
            || first > size - width
            || second > size - width
            || third > size - width
            || (first | second | third) % width != 0
        {
            return Outcome::Trapped(first_trap(opcode, width, size, at));
        }
        marks.compile(at);
        // No truncation: each is at most the length of a slice.
        let (addr, addr_op2, addr_res) = (first as usize, second as usize, third as usize);
        let op = match opcode.code {
            WRITE_CONST_U8 => {
                let op = Op::WriteConst { addr, value: opcode.byte };
                // SAFETY: every operand has been checked, and the memory's base is aligned.
                Width { narrow: unsafe { view.compile(op, marks) } }
            }
            WRITE_CONST_U16 => {
                let op = Op::WriteConst { addr, value: opcode.pair };
                // SAFETY: as above.
                Width { wide: unsafe { view.compile(op, marks) } }
            }
            ADD_U8 => {
                let op = Op::Add { addr_op1: addr, addr_op2, addr_res };
                // SAFETY: as above.
                Width { narrow: unsafe { view.compile(op, marks) } }
            }
            _ => {
                let op = Op::Add { addr_op1: addr, addr_op2, addr_res };
                // SAFETY: as above.
                Width { wide: unsafe { view.compile(op, marks) } }
            }
        };
        compiled.push(Compiled { is_wide, op });
        at += 1;
    }
    view.compiled(program.initial);
    at = 0;
    while at < count {
        marks.run(at);
        let Compiled { is_wide, op } = compiled.get(at);
        if is_wide {
            // SAFETY: so it is.
            let op = unsafe { op.wide };
            // SAFETY: `view` compiled it.
            unsafe { step(&mut view, op, marks) }
        } else {
            // SAFETY: as above.
            let op = unsafe { op.narrow };
            // SAFETY: as above.
            unsafe { step(&mut view, op, marks) }
        }
        at += 1;
    }
    Outcome::Ran { steps: count as u64 }
}

/// What is wrong with the first operand for which something is.
fn first_trap(opcode: Opcode, width: u64, size: u64, instruction: usize) -> Trap {
    let is_add = opcode.code == ADD_U8 || opcode.code == ADD_U16;
    let names: &[&str] = if is_add { &["addr_op1", "addr_op2", "addr_res"] } else { &["addr"] };
    let mut at = 0;
    while at < names.len() {
        if let Some(kind) = fault(opcode.addresses[at], width, size) {
            return Trap { kind, instruction, operand: names[at] };
        }
        at += 1;
    }
    unreachable!("an operand is out of bounds or misaligned")
}

/// What is wrong with a value of this width at the address, if it is not in bounds and aligned.
fn fault(addr: u64, width: u64, size: u64) -> Option<TrapKind> {
    if size < width || addr > size - width {
        return Some(TrapKind::OutOfBounds);
    }
    if addr % width != 0 {
        return Some(TrapKind::Misaligned);
    }
    None
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

    /// The marks of a program over four bytes.
    fn marks_of(opcodes: &[(u8, &[u64], &[u8])]) -> Vec<String> {
        let mut wire = vec![4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
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
        let _ = unsafe { execute_with::<Raw, _>(memory.bytes(), &program, &mut recorder) };
        recorder.lines
    }

    #[test]
    fn every_step_is_marked_before_it_happens() {
        let write: (u8, &[u64], &[u8]) = (wire::WRITE_CONST_U8, &[1], &[7]);
        let add: (u8, &[u64], &[u8]) = (wire::ADD_U16, &[0, 0, 2], &[]);
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
        let write: (u8, &[u64], &[u8]) = (wire::WRITE_CONST_U8, &[3], &[7]);
        let beyond: (u8, &[u64], &[u8]) = (wire::WRITE_CONST_U8, &[4], &[7]);
        assert_eq!(marks_of(&[write, beyond]), ["compile 0", "  addr"]);
    }

    fn kind<T: Value>(addr: u64, size: u64) -> Option<TrapKind> {
        fault(addr, T::SIZE as u64, size)
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
