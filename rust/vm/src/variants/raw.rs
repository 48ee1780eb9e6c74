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
        op.map(marks, |addr| unsafe { self.base.add(addr) as *mut T })
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

/// Everything that is as in `raw`, for a variant that has one in the field `$raw`.
macro_rules! as_in_raw {
    ($raw:tt) => {
        type Operand<T: $crate::program::Value> = *mut T;

        unsafe fn compile<T: $crate::program::Value>(
            &mut self,
            op: $crate::program::Op<T, usize>,
            marks: &mut impl $crate::marks::Marks,
        ) -> $crate::program::Op<T, *mut T> {
            // SAFETY: the caller's promise is the one that is asked for.
            unsafe { self.$raw.compile(op, marks) }
        }

        unsafe fn load<T: $crate::program::Value>(&mut self, from: *mut T) -> T {
            // SAFETY: made by `compile`; sound as far as the variant is.
            unsafe { self.$raw.load(from) }
        }

        unsafe fn store<T: $crate::program::Value>(&mut self, to: *mut T, value: T) {
            // SAFETY: as in `load`.
            unsafe { self.$raw.store(to, value) }
        }

        unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
            // SAFETY: as in `load`.
            unsafe { self.$raw.pointer(addr) }
        }
    };
}

pub(super) use as_in_raw;
