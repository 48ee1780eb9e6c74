//! `slice-ptr`: `compile` is handed a pointer to the slice instead of a borrow of it.

use std::ptr::{slice_from_raw_parts, slice_from_raw_parts_mut};

use crate::host;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::copy_bytes;

/// The thread's first repair: the borrow becomes a `*mut [u8]` once, before compiling.
///
/// A raw pointer can be handed on and cast as often as one likes without borrowing anything.
pub struct SlicePtr {
    memory: *mut [u8],
}

/// # Safety
///
/// Every address in `op` is in bounds of `memory`, which is live.
unsafe fn compile<T: Value>(
    memory: *mut [u8],
    op: Op<T, usize>,
    marks: &mut impl Marks,
) -> Op<T, *mut T> {
    // SAFETY: the address is in bounds.
    op.map(marks, |addr| unsafe { (memory as *mut u8).add(addr) }.cast())
}

impl<'m> Variant<'m> for SlicePtr {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        SlicePtr { memory }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { compile(self.memory, op, marks) }
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds, aligned, initialised, and the borrow behind the pointer is not
        // used while this value lives.
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
        // SAFETY: in bounds of the memory.
        let source = unsafe { self.memory.cast::<u8>().add(from) };
        marks.operand("at_res");
        // SAFETY: as above.
        let target = unsafe { self.memory.cast::<u8>().add(to) };
        // SAFETY: both ranges are in bounds, and `overlapping` where they overlap.
        unsafe { copy_bytes(source, target, size, overlapping) }
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: in bounds of the memory.
        let target = unsafe { self.memory.cast::<u8>().add(to) };
        // SAFETY: all of the range is in bounds.
        unsafe { target.write_bytes(byte, size) }
    }

    unsafe fn host_read(&mut self, addr: usize, size: usize, marks: &mut impl Marks) -> u8 {
        marks.operand("at_op");
        // SAFETY: all of the memory, and nothing else uses the memory while the host does.
        host::read(unsafe { &*slice_from_raw_parts(self.memory.cast::<u8>(), size) }, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: as in `host_read`.
        host::write(
            unsafe { &mut *slice_from_raw_parts_mut(self.memory.cast::<u8>(), size) },
            addr,
            byte,
        );
    }
}
