//! `exposed`: operands are integers, turned back into pointers at each access.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ptr::{
    NonNull, slice_from_raw_parts, slice_from_raw_parts_mut, with_exposed_provenance_mut,
};

use crate::host;
use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::copy_bytes;

/// The address of a pointer whose provenance has been exposed: what code that knows integers
/// only can hold of a pointer, after wasmtime's type of the same name.
#[repr(transparent)]
pub struct VmPtr<T> {
    address: NonZeroUsize,
    pointee: PhantomData<*mut T>,
}

impl<T> Clone for VmPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for VmPtr<T> {}

impl<T> VmPtr<T> {
    /// Exposes the provenance of `pointer`.
    pub fn exposing(pointer: NonNull<T>) -> Self {
        VmPtr::at(pointer.as_ptr().expose_provenance())
    }

    /// A pointer to an address that was computed; panics if that is 0.
    fn at(address: usize) -> Self {
        match NonZeroUsize::new(address) {
            Some(address) => VmPtr { address, pointee: PhantomData },
            None => panic!("no byte of the memory has the address 0"),
        }
    }

    /// A pointer with whatever exposed provenance makes its use right.
    pub fn as_ptr(self) -> *mut T {
        with_exposed_provenance_mut(self.address.get())
    }
}

/// The base's provenance is exposed once; operands are sums of base and address, made as
/// WebAssembly's code generators make them: as integers, with the base on either side.
///
/// An integer has no provenance, so this has no meaning under strict provenance.
pub struct Exposed {
    base: VmPtr<u8>,
}

impl<'m> Variant<'m> for Exposed {
    type Operand<T: Value> = VmPtr<T>;

    fn over(memory: &'m mut [u8]) -> Self {
        let base = NonNull::from(memory).cast();
        Exposed { base: VmPtr::exposing(base) }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, VmPtr<T>> {
        let base = self.base.address.get();
        match op {
            Op::Binary { operator, addr_op1, addr_op2, addr_res } => {
                marks.operand("addr_op1");
                let addr_op1 = VmPtr::at(base + addr_op1);
                marks.operand("addr_op2");
                let addr_op2 = VmPtr::at(addr_op2 + base);
                marks.operand("addr_res");
                let addr_res = VmPtr::at(base + addr_res);
                Op::Binary { operator, addr_op1, addr_op2, addr_res }
            }
            _ => op.map(marks, |addr| VmPtr::at(base + addr)),
        }
    }

    unsafe fn load<T: Value>(&mut self, from: VmPtr<T>) -> T {
        // SAFETY: in bounds, aligned, initialised; the base's provenance was exposed and covers
        // it, and the borrow behind the base is not used while this value lives.
        unsafe { *from.as_ptr() }
    }

    unsafe fn store<T: Value>(&mut self, to: VmPtr<T>, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to.as_ptr() = value }
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
        let source = VmPtr::<u8>::at(self.base.address.get() + from).as_ptr();
        marks.operand("at_res");
        let target = VmPtr::<u8>::at(self.base.address.get() + to).as_ptr();
        // SAFETY: both ranges are in bounds of what the exposed provenance covers, and `overlapping` where they overlap.
        unsafe { copy_bytes(source, target, size, overlapping) }
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        let target = VmPtr::<u8>::at(self.base.address.get() + to).as_ptr();
        // SAFETY: all of the range is in bounds.
        unsafe { target.write_bytes(byte, size) }
    }

    unsafe fn host_read(&mut self, addr: usize, size: usize, marks: &mut impl Marks) -> u8 {
        marks.operand("at_op");
        // SAFETY: all of the memory, and nothing else uses the memory while the host does.
        host::read(unsafe { &*slice_from_raw_parts(self.base.as_ptr(), size) }, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand("at_res");
        // SAFETY: as in `host_read`.
        host::write(
            unsafe { &mut *slice_from_raw_parts_mut(self.base.as_ptr(), size) },
            addr,
            byte,
        );
    }
}
