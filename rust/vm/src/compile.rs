//! The compile phase: every opcode is checked, then the variant makes its operands.

use crate::computed::{self, Computed};
use crate::marks::Marks;
use crate::memory::List;
use crate::operator::{BINARY, Unary};
use crate::outcome::{Trap, TrapKind};
use crate::program::{Op, Opcode, Program, Value};
use crate::variant::Variant;
use crate::wire::{self, ADD, ALLOCATE, ASSERT, HALT, JUMP, JUMP_IF, JUMP_UNLESS, LOAD, MOVE, NOT};

/// An opcode whose operands the variant has made.
pub(crate) struct Compiled<'m, V: Variant<'m>> {
    /// In bytes, or [`COMPUTED`].
    pub(crate) width: usize,
    pub(crate) op: OfWidth<'m, V>,
}

/// Stands for the width of an opcode whose operands each have their own.
const COMPUTED: usize = 0;

/// An operation at the width that stands beside it.
pub(crate) union OfWidth<'m, V: Variant<'m>> {
    pub(crate) one: Op<u8, V::Operand<u8>>,
    pub(crate) two: Op<u16, V::Operand<u16>>,
    pub(crate) four: Op<u32, V::Operand<u32>>,
    pub(crate) eight: Op<u64, V::Operand<u64>>,
    pub(crate) computed: Computed<'m, V>,
}

// Not derived: the variant itself need not be `Copy`.
impl<'m, V: Variant<'m>> Clone for Compiled<'m, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'m, V: Variant<'m>> Copy for Compiled<'m, V> {}

impl<'m, V: Variant<'m>> Clone for OfWidth<'m, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'m, V: Variant<'m>> Copy for OfWidth<'m, V> {}

/// Checks and compiles every opcode into `compiled`, which has room for them and holds nothing else;
/// what is wrong with the first operand that is wrong.
///
/// # Safety
///
/// `view` is over a memory of `size` bytes whose base is aligned, and may run where it is run.
pub(crate) unsafe fn compile<'m, V: Variant<'m>, M: Marks>(
    view: &mut V,
    program: &Program<'_>,
    size: usize,
    compiled: &mut List<Compiled<'m, V>>,
    marks: &mut M,
) -> Option<Trap> {
    let size = size as u64;
    let mut opcodes = program.opcodes;
    let count = opcodes.count;
    let values = compiled.values;
    let mut at = 0;
    while at < count {
        let opcode = opcodes.take();
        let code = opcode.code;
        // SAFETY: the room belongs to the list alone; indexing panics beyond it.
        let slot = unsafe { &raw mut (*values)[at] };
        if code >= JUMP {
            if code >= LOAD {
                // SAFETY: the caller's promise is the one that is asked for.
                let trap = unsafe { compile_computed(view, opcode, at, size, slot, marks) };
                if trap.is_some() {
                    return trap;
                }
                at += 1;
                continue;
            }
            if code < ASSERT {
                if M::LISTENS {
                    marks.compile(at);
                }
                let target = opcode.value as usize;
                // SAFETY: nothing else has a pointer to the slot while it is written.
                unsafe { (*slot).width = 1 };
                let op = if code == JUMP { Op::Jump { target } } else { Op::Halt };
                // SAFETY: as above.
                unsafe { (*slot).op = OfWidth { one: op } };
                at += 1;
                continue;
            }
        }
        // As `width` has it, without the call.
        let width = match code & 3 {
            1 => 1,
            2 => 2,
            3 => 4,
            _ => 8,
        };
        let [first, second, third] = opcode.addresses;
        // Behind the last operand there are zeros. No operand is more than all of them together,
        // and widths are powers of two: where this is right, each is in bounds and aligned.
        let together = first | second | third;
        if size < width || together > size - width || together & (width - 1) != 0 {
            let trap = first_trap(opcode, size, at);
            if trap.is_some() {
                return trap;
            }
        }
        if M::LISTENS {
            marks.compile(at);
        }
        // SAFETY: nothing else has a pointer to the slot while it is written.
        unsafe { (*slot).width = width as usize };
        macro_rules! compile {
            ($field:ident) => {{
                // SAFETY: every operand has been checked, and the memory's base is aligned.
                let op = unsafe { view.compile(operation(opcode), marks) };
                // SAFETY: as above.
                unsafe { (*slot).op = OfWidth { $field: op } };
            }};
        }
        match width {
            1 => compile!(one),
            2 => compile!(two),
            4 => compile!(four),
            _ => compile!(eight),
        }
        at += 1;
    }
    // SAFETY: all of them have been written.
    unsafe { compiled.hold(count) };
    None
}

/// Checks and compiles an opcode of which an address is computed, or that is on pointers, to where
/// `slot` points.
///
/// # Safety
///
/// As for [`compile`], and the slot is there to be written.
unsafe fn compile_computed<'m, V: Variant<'m>, M: Marks>(
    view: &mut V,
    opcode: Opcode,
    at: usize,
    size: u64,
    slot: *mut Compiled<'m, V>,
    marks: &mut M,
) -> Option<Trap> {
    if opcode.code >= ALLOCATE && !V::POINTERS {
        let kind = TrapKind::NotExpressed;
        return Some(Trap { kind, instruction: at, operand: "pointer" });
    }
    if let Some((kind, operand)) = computed::fault_in_compiling(opcode, size) {
        return Some(Trap { kind, instruction: at, operand });
    }
    if M::LISTENS {
        marks.compile(at);
    }
    // SAFETY: nothing else has a pointer to the slot while it is written.
    unsafe { (*slot).width = COMPUTED };
    // SAFETY: every operand has been checked, and the memory's base is aligned.
    let computed = unsafe { Computed::compile(view, opcode, marks) };
    // SAFETY: as above.
    unsafe { (*slot).op = OfWidth { computed } };
    None
}

/// What an opcode of the width of `T` says.
fn operation<T: Value>(opcode: Opcode) -> Op<T, usize> {
    // No truncation: each is at most the length of a slice.
    let [first, second, third] = opcode.addresses;
    let addr = first as usize;
    let code = opcode.code;
    if code >= ADD {
        if code < JUMP {
            let operator = BINARY[((code - ADD) >> 2) as usize];
            let (addr_op2, addr_res) = (second as usize, third as usize);
            return Op::Binary { operator, addr_op1: addr, addr_op2, addr_res };
        }
        if code < JUMP_IF {
            return Op::Assert { addr };
        }
        return Op::Branch { on_zero: code >= JUMP_UNLESS, addr, target: opcode.value as usize };
    }
    if code >= MOVE {
        let operator = if code >= NOT { Unary::Not } else { Unary::Move };
        return Op::Unary { operator, addr_op: addr, addr_res: second as usize };
    }
    Op::WriteConst { addr, value: T::of(opcode.value) }
}

/// The trap of an opcode whose operands are not all in bounds and aligned, for a crate that
/// executes programs in its own way.
pub fn check(opcode: Opcode, size: u64, instruction: usize) -> Option<Trap> {
    let has_operand = opcode.code != JUMP && opcode.code != HALT;
    if has_operand { first_trap(opcode, size, instruction) } else { None }
}

/// What is wrong with the first operand for which something is.
fn first_trap(opcode: Opcode, size: u64, instruction: usize) -> Option<Trap> {
    let names: &[&str] = match opcode.code {
        ASSERT.. => &["addr"],
        ADD.. => &["addr_op1", "addr_op2", "addr_res"],
        MOVE.. => &["addr_op", "addr_res"],
        _ => &["addr"],
    };
    let width = wire::width(opcode.code) as u64;
    let mut at = 0;
    while at < names.len() {
        if let Some(kind) = fault(opcode.addresses[at], width, size) {
            return Some(Trap { kind, instruction, operand: names[at] });
        }
        at += 1;
    }
    None
}

/// What is wrong with a value of this width at the address, if it is not in bounds and aligned.
pub(crate) fn fault(addr: u64, width: u64, size: u64) -> Option<TrapKind> {
    if size < width || addr > size - width {
        return Some(TrapKind::OutOfBounds);
    }
    if addr % width != 0 {
        return Some(TrapKind::Misaligned);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

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
