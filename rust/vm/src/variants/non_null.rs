//! `non-null`: `raw` with `NonNull`.

use std::ptr::NonNull;

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;

/// One base pointer, made once of the borrow; operands are offsets from it, and all of them are
/// `NonNull`: what containers and virtual machines hold at rest.
///
/// Nothing but its null is taken from a pointer by that: all of them share the base's claim.
pub struct NonNullBase {
    base: NonNull<u8>,
}

impl<'m> Variant<'m> for NonNullBase {
    type Operand<T: Value> = NonNull<T>;

    fn over(memory: &'m mut [u8]) -> Self {
        NonNullBase { base: NonNull::from(memory).cast() }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, NonNull<T>> {
        // SAFETY: the address is in bounds of the memory that `base` points to.
        op.map(marks, |addr| unsafe { self.base.add(addr) }.cast())
    }

    unsafe fn load<T: Value>(&mut self, from: NonNull<T>) -> T {
        // SAFETY: in bounds, aligned, initialised, and the borrow behind `base` is not used
        // while this value lives.
        unsafe { from.read() }
    }

    unsafe fn store<T: Value>(&mut self, to: NonNull<T>, value: T) {
        // SAFETY: as in `load`.
        unsafe { to.write(value) }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the memory that `base` points to.
        Some(unsafe { self.base.add(addr) }.as_ptr())
    }
}
