//! `cell-slice`: a shared reference to one cell around the whole memory, cast for each operand.

use std::cell::Cell;

use crate::blocks;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;

/// The thread's first form of that repair: the borrow becomes a `&Cell<[u8]>`, an operand a
/// reference to a cell of its own type, cast from the big cell's pointer.
pub struct CellSlice<'m> {
    memory: &'m Cell<[u8]>,
}

/// # Safety
///
/// For every address in `op`, a `T` there is in bounds of `memory` and aligned.
unsafe fn compile<'m, T: Value>(
    memory: &'m Cell<[u8]>,
    op: Op<T, usize>,
    marks: &mut impl Marks,
) -> Op<T, &'m Cell<T>> {
    op.map(marks, |addr| {
        // SAFETY: the address is in bounds.
        let at = unsafe { memory.as_ptr().cast::<u8>().add(addr) };
        // SAFETY: in bounds, aligned and initialised for the lifetime of `memory`, and a `Cell`
        // lies in memory as what it holds; all other access is through cells as well.
        unsafe { &*at.cast::<Cell<T>>() }
    })
}

impl<'m> Variant<'m> for CellSlice<'m> {
    type Operand<T: Value> = &'m Cell<T>;

    fn over(memory: &'m mut [u8]) -> Self {
        CellSlice { memory: Cell::from_mut(memory) }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, &'m Cell<T>> {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { compile(self.memory, op, marks) }
    }

    unsafe fn load<T: Value>(&mut self, from: &'m Cell<T>) -> T {
        from.get()
    }

    unsafe fn store<T: Value>(&mut self, to: &'m Cell<T>, value: T) {
        to.set(value);
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the cell.
        Some(unsafe { self.memory.as_ptr().cast::<u8>().add(addr) })
    }

    // What is in a cell is not lent: the host, too, reads and writes a byte's own cell.

    unsafe fn host_read(&mut self, addr: usize, _: usize, marks: &mut impl Marks) -> u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { blocks::read(self, addr, marks) }
    }

    unsafe fn host_write(&mut self, addr: usize, _: usize, byte: u8, marks: &mut impl Marks) {
        // SAFETY: as in `host_read`.
        unsafe { blocks::write(self, addr, byte, marks) }
    }
}
