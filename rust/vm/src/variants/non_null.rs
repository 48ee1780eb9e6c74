//! `non-null`: `raw` with `NonNull`.

use std::ptr::NonNull;

use crate::host;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::copy_bytes;

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

    unsafe fn copy(
        &mut self,
        from: usize,
        to: usize,
        size: usize,
        overlapping: bool,
        marks: &mut impl Marks,
    ) {
        marks.operand("at_op");
        // SAFETY: in bounds of the memory that `base` points to.
        let source = unsafe { self.base.add(from) };
        marks.operand("at_res");
        // SAFETY: as above.
        let target = unsafe { self.base.add(to) };
        // SAFETY: both ranges are in bounds, and `overlapping` where they overlap.
        unsafe { copy_bytes(source.as_ptr(), target.as_ptr(), size, overlapping) }
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: in bounds of the memory that `base` points to.
        let target = unsafe { self.base.add(to) };
        // SAFETY: all of the range is in bounds.
        unsafe { target.write_bytes(byte, size) }
    }

    unsafe fn host_read(&mut self, addr: usize, size: usize, marks: &mut impl Marks) -> u8 {
        marks.operand("at_op");
        // SAFETY: all of the memory, and nothing else uses the memory while the host does.
        host::read(unsafe { NonNull::slice_from_raw_parts(self.base, size).as_ref() }, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: as in `host_read`.
        host::write(unsafe { NonNull::slice_from_raw_parts(self.base, size).as_mut() }, addr, byte);
    }
}
