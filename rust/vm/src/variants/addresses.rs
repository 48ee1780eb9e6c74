//! Variants whose operands are addresses, which become pointers at each access.

use std::marker::PhantomData;
use std::ptr::{slice_from_raw_parts, slice_from_raw_parts_mut};

use crate::host;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::copy_bytes;

/// How an address becomes a pointer.
pub trait Scheme {
    /// A pointer to the address; `base` points to the memory that it lies in.
    fn pointer(base: *mut u8, address: usize) -> *mut u8;
}

/// Operands are sums of the base's address and their own. The base's provenance is not exposed:
/// whether a pointer that is made of such a sum may access anything is the scheme's affair.
pub struct Addresses<S> {
    base: *mut u8,
    scheme: PhantomData<S>,
}

impl<S: Scheme> Addresses<S> {
    fn at(&self, addr: usize) -> *mut u8 {
        S::pointer(self.base, self.base.addr() + addr)
    }
}

impl<'m, S: Scheme> Variant<'m> for Addresses<S> {
    type Operand<T: Value> = usize;

    fn over(memory: &'m mut [u8]) -> Self {
        Addresses { base: memory.as_mut_ptr(), scheme: PhantomData }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, usize> {
        let base = self.base.addr();
        op.map(marks, |addr| base + addr)
    }

    unsafe fn load<T: Value>(&mut self, from: usize) -> T {
        let from = S::pointer(self.base, from).cast::<T>();
        // SAFETY: in bounds, aligned and initialised; sound if the scheme is.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: usize, value: T) {
        let to = S::pointer(self.base, to).cast::<T>();
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
        let source = self.at(from);
        marks.operand("at_res");
        let target = self.at(to);
        // SAFETY: both ranges are in bounds, and `overlapping` where they overlap; as in `load`.
        unsafe { copy_bytes(source, target, size, overlapping) }
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        let target = self.at(to);
        // SAFETY: all of the range is in bounds; as in `load`.
        unsafe { target.write_bytes(byte, size) }
    }

    unsafe fn host_read(&mut self, addr: usize, size: usize, marks: &mut impl Marks) -> u8 {
        marks.operand("at_op");
        // SAFETY: all of the memory, and nothing else uses it while the host does; as in `load`.
        host::read(unsafe { &*slice_from_raw_parts(self.at(0), size) }, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: as in `host_read`.
        host::write(unsafe { &mut *slice_from_raw_parts_mut(self.at(0), size) }, addr, byte);
    }
}
