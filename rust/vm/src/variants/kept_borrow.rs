//! `kept-borrow`: the owner's borrow is kept beside the pointers, for the host. Undefined behaviour
//! once the host has used it, on purpose.

use crate::host;
use crate::marks::{AT_OP, AT_RES, Marks};
use crate::program::{Op, Value};
use crate::variant::Variant;

/// One base pointer for all operands, and beside it the `&mut [u8]` that it comes from, which the
/// host is lent.
///
/// As long as no host is called nobody uses the borrow. What the host does through it ends the
/// base pointer's claim. The rule that what follows breaks: while pointers derived from a `&mut`
/// are in use, the `&mut` itself must not be.
pub struct KeptBorrow<'m> {
    memory: &'m mut [u8],
    /// None until the first operand is made, as in `owner`.
    base: Option<*mut u8>,
}

impl KeptBorrow<'_> {
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

impl<'m> Variant<'m> for KeptBorrow<'m> {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        KeptBorrow { memory, base: None }
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

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds and aligned, but not sound: see `KeptBorrow` for the broken rule.
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
