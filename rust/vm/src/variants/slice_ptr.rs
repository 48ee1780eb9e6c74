//! `slice-ptr`: `compile` is handed a pointer to the slice instead of a borrow of it.

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;

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
    op.map(marks, |addr| unsafe { (memory as *mut u8).add(addr) as *mut T })
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

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the memory.
        Some(unsafe { self.memory.cast::<u8>().add(addr) })
    }
}
