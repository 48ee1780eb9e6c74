//! `raw`: every operand is derived from one base pointer.

use std::ptr::{slice_from_raw_parts, slice_from_raw_parts_mut};

use crate::host;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::copy_bytes;

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
        unsafe { copy_bytes(source, target, size, overlapping) }
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
        host::read(unsafe { &*slice_from_raw_parts(self.base, size) }, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: as in `host_read`.
        host::write(unsafe { &mut *slice_from_raw_parts_mut(self.base, size) }, addr, byte);
    }
}
