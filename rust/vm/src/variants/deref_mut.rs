//! `deref-mut`: raw pointers are turned into `&mut` where they are used. Undefined behaviour
//! where the operands of an instruction alias each other.

use crate::marks::{ADDR_OP, ADDR_OP1, ADDR_OP2, ADDR_RES, Marks};
use crate::operator::{Binary, Unary, Undivided};
use crate::program::{Op, Value};
use crate::variant::Variant;

/// One base pointer for all operands; each access goes through a `&mut` made of the operand.
///
/// The references of an instruction are alive together. Where two of them cover the same
/// byte, the younger one ends the claim of the older one, and using the older one then breaks
/// the rule that a `&mut` is the only way to what it points to.
pub struct DerefMut {
    base: *mut u8,
}

impl<'m> Variant<'m> for DerefMut {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        DerefMut { base: memory.as_mut_ptr() }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the address is in bounds of the memory that `base` points to.
        op.map(marks, |addr| unsafe { self.base.add(addr) as *mut T })
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds, aligned, initialised; no other reference to it is alive.
        let from = unsafe { &mut *from };
        *from
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        let to = unsafe { &mut *to };
        *to = value;
    }

    unsafe fn unary<T: Value, M: Marks>(
        &mut self,
        operator: Unary,
        op: *mut T,
        res: *mut T,
        marks: &mut M,
    ) {
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
        // SAFETY: in bounds, aligned, initialised, but not sound where the operands alias each
        // other: see `DerefMut` for the broken rule.
        let res = unsafe { &mut *res };
        if M::LISTENS {
            marks.operand(ADDR_OP);
        }
        // SAFETY: as above.
        let op = unsafe { &mut *op };
        if M::LISTENS {
            marks.operand(ADDR_OP);
        }
        let value = *op;
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
        *res = value.unary(operator);
    }

    unsafe fn binary<T: Value, M: Marks>(
        &mut self,
        operator: Binary,
        op1: *mut T,
        op2: *mut T,
        res: *mut T,
        marks: &mut M,
    ) -> Result<(), Undivided> {
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
        // SAFETY: in bounds, aligned, initialised, but not sound where the operands alias each
        // other: see `DerefMut` for the broken rule.
        let res = unsafe { &mut *res };
        if M::LISTENS {
            marks.operand(ADDR_OP1);
        }
        // SAFETY: as above.
        let op1 = unsafe { &mut *op1 };
        if M::LISTENS {
            marks.operand(ADDR_OP2);
        }
        // SAFETY: as above.
        let op2 = unsafe { &mut *op2 };
        // The accesses of `*res = op1.wrapping_add(*op2)`, in the same order.
        if M::LISTENS {
            marks.operand(ADDR_OP1);
        }
        let left = *op1;
        if M::LISTENS {
            marks.operand(ADDR_OP2);
        }
        let right = *op2;
        if M::LISTENS {
            marks.operand(ADDR_RES);
        }
        *res = left.binary(operator, right)?;
        Ok(())
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the memory that `base` points to.
        Some(unsafe { self.base.add(addr) })
    }
}
