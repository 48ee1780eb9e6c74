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

/// Checks and compiles every opcode into `compiled`, which is empty and has room for them; what is
/// wrong with the first operand that is wrong.
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
    let count = opcodes.len();
    let mut at = 0;
    while at < count {
        let opcode = opcodes.take();
        if opcode.code >= LOAD {
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
            // SAFETY: every operand has been checked, and the memory's base is aligned.
            let op = unsafe { Computed::compile(view, opcode, marks) };
            compiled.push(Compiled { width: COMPUTED, op: OfWidth { computed: op } });
            at += 1;
            continue;
        }
        let width = wire::width(opcode.code);
        let bytes = width as u64;
        let [first, second, third] = opcode.addresses;
        // Behind the last operand there are zeros, which are wrong only where others are, too.
        let has_operand = opcode.code != JUMP && opcode.code != HALT;
        if has_operand {
            if size < bytes {
                return Some(first_trap(opcode, size, at));
            }
            let last = size - bytes;
            // Not `||`, each of which is a branch; and widths are powers of two.
            let is_misaligned = (first | second | third) & (bytes - 1) != 0;
            if is_misaligned | (first > last) | (second > last) | (third > last) {
                return Some(first_trap(opcode, size, at));
            }
        }
        if M::LISTENS {
            marks.compile(at);
        }
        if !has_operand {
            let target = opcode.value as usize;
            let op = if opcode.code == JUMP { Op::Jump { target } } else { Op::Halt };
            compiled.push(Compiled { width: 1, op: OfWidth { one: op } });
            at += 1;
            continue;
        }
        macro_rules! compile {
            ($field:ident) => {{
                // SAFETY: every operand has been checked, and the memory's base is aligned.
                OfWidth { $field: unsafe { view.compile(operation(opcode), marks) } }
            }};
        }
        let op = match width {
            1 => compile!(one),
            2 => compile!(two),
            4 => compile!(four),
            _ => compile!(eight),
        };
        compiled.push(Compiled { width, op });
        at += 1;
    }
    None
}

/// What an opcode of the width of `T` says.
fn operation<T: Value>(opcode: Opcode) -> Op<T, usize> {
    // No truncation: each is at most the length of a slice.
    let [first, second, third] = opcode.addresses;
    let (first, second, third) = (first as usize, second as usize, third as usize);
    if opcode.code >= JUMP_IF {
        let on_zero = opcode.code >= JUMP_UNLESS;
        return Op::Branch { on_zero, addr: first, target: opcode.value as usize };
    }
    if opcode.code >= ASSERT {
        return Op::Assert { addr: first };
    }
    if opcode.code >= ADD {
        let operator = BINARY[((opcode.code - ADD) / 4) as usize];
        return Op::Binary { operator, addr_op1: first, addr_op2: second, addr_res: third };
    }
    if opcode.code >= MOVE {
        let operator = if opcode.code >= NOT { Unary::Not } else { Unary::Move };
        return Op::Unary { operator, addr_op: first, addr_res: second };
    }
    Op::WriteConst { addr: first, value: T::of(opcode.value) }
}

/// The trap of an opcode whose operands are not all in bounds and aligned, for a crate that
/// executes programs in its own way.
pub fn check(opcode: Opcode, size: u64, instruction: usize) -> Option<Trap> {
    let width = wire::width(opcode.code) as u64;
    let is_right = |addr| fault(addr, width, size).is_none();
    // Behind the last operand there are zeros, which are wrong only where others are, too.
    let has_operand = opcode.code != JUMP && opcode.code != HALT;
    if !has_operand || opcode.addresses.into_iter().all(is_right) {
        return None;
    }
    Some(first_trap(opcode, size, instruction))
}

/// What is wrong with the first operand for which something is.
fn first_trap(opcode: Opcode, size: u64, instruction: usize) -> Trap {
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
            return Trap { kind, instruction, operand: names[at] };
        }
        at += 1;
    }
    unreachable!("an operand is out of bounds or misaligned")
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
