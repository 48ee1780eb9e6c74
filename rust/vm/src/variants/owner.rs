//! `owner`: the owner's borrow is used between compiling and running. Undefined behaviour, on
//! purpose.

use crate::host;
use crate::marks::{AT_OP, AT_RES, Marks};
use crate::program::{Op, Value};
use crate::variant::Variant;

/// One base pointer for all operands, but the owner stores the initial bytes through its own
/// `&mut [u8]` once they are made.
///
/// That store ends the base pointer's claim. The rule that the run phase breaks: while pointers
/// derived from a `&mut` are in use, the `&mut` itself must not be.
pub struct Owner<'m> {
    memory: &'m mut [u8],
    /// None until the first operand is made: were it made in `over`, then returning from there
    /// would reborrow `memory` and so end the base's claim too early.
    base: Option<*mut u8>,
}

impl Owner<'_> {
    fn base(&mut self) -> *mut u8 {
        match self.base {
            Some(base) => base,
            None => {
                let base = self.memory.as_mut_ptr();
                self.base = Some(base);
                base
            }
        }
    }
}

impl<'m> Variant<'m> for Owner<'m> {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        Owner { memory, base: None }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        let base = self.base();
        // SAFETY: the address is in bounds of the memory that `base` points to.
        op.map(marks, |addr| unsafe { base.add(addr) as *mut T })
    }

    fn compiled(&mut self, initial: &[u8]) {
        self.memory.copy_from_slice(initial);
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds and aligned, but not sound: see `Owner` for the broken rule.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the memory that `base` points to.
        Some(unsafe { self.base().add(addr) })
    }

    unsafe fn host_read(&mut self, addr: usize, _: usize, marks: &mut impl Marks) -> u8 {
        marks.operand(AT_OP);
        host::read(self.memory, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, _: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand(AT_RES);
        host::write(self.memory, addr, byte);
    }
}
