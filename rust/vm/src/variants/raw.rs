//! `raw`: every operand is derived from one base pointer.

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;

/// One base pointer, made once; operands are offsets from it.
///
/// All of them share the base's claim to the memory, so they may alias each other, and reads
/// and writes through them may come in any order.
pub struct Raw {
    pub(super) base: *mut u8,
}

impl<'m> Variant<'m> for Raw {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        Raw { base: memory.as_mut_ptr() }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the address is in bounds of the memory that `base` points to.
        op.map(marks, |addr| unsafe { self.base.add(addr) }.cast())
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds, aligned, initialised, and the borrow behind `base` is not used
        // while this value lives.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the memory that `base` points to.
        Some(unsafe { self.base.add(addr) })
    }
}
