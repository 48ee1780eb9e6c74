//! `unsafe-cell`: raw pointers out of a shared reference to one `UnsafeCell`.

use std::cell::UnsafeCell;

use crate::blocks;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;

/// The borrow becomes a `&UnsafeCell<[u8]>`; operands are offsets from what its `get` gives.
///
/// A pointer out of it may be used for as long as the reference may, whatever others there are.
/// It has to be the cell around the whole memory: a pointer out of `&UnsafeCell<u8>` is one to
/// that byte.
pub struct UnsafeCellSlice<'m> {
    memory: &'m UnsafeCell<[u8]>,
}

/// # Safety
///
/// Every address in `op` is in bounds of `memory`.
unsafe fn compile<T: Value>(
    memory: &UnsafeCell<[u8]>,
    op: Op<T, usize>,
    marks: &mut impl Marks,
) -> Op<T, *mut T> {
    // SAFETY: the address is in bounds of the cell.
    op.map(marks, |addr| unsafe { (memory.get() as *mut u8).add(addr) as *mut T })
}

impl<'m> Variant<'m> for UnsafeCellSlice<'m> {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        UnsafeCellSlice { memory: UnsafeCell::from_mut(memory) }
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
        // SAFETY: in bounds, aligned, initialised, and nobody refers to what is in the cell.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the cell.
        Some(unsafe { (self.memory.get() as *mut u8).add(addr) })
    }

    // What is in the cell is not lent: the host, too, goes through pointers out of it.

    unsafe fn host_read(&mut self, addr: usize, _: usize, marks: &mut impl Marks) -> u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { blocks::read(self, addr, marks) }
    }

    unsafe fn host_write(&mut self, addr: usize, _: usize, byte: u8, marks: &mut impl Marks) {
        // SAFETY: as in `host_read`.
        unsafe { blocks::write(self, addr, byte, marks) }
    }
}
