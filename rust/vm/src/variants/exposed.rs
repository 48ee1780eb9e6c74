//! `exposed`: operands are integers, turned back into pointers at each access.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ptr::{NonNull, with_exposed_provenance_mut};

use crate::marks::{ADDR_OP1, ADDR_OP2, ADDR_RES, Marks};
use crate::program::{Op, Value};
use crate::variant::{AtAnyAddress, Variant};

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

    /// The same so many bytes further on, by adding up integers, and to whatever is there.
    pub(super) fn offset<U>(self, bytes: usize) -> VmPtr<U> {
        VmPtr::at(self.address.get() + bytes)
    }

    /// A pointer with whatever exposed provenance makes its use right.
    pub fn as_ptr(self) -> *mut T {
        with_exposed_provenance_mut(self.address.get())
    }
}

/// Reads an address at any alignment, and makes a pointer of it.
///
/// # Safety
///
/// An address lies there.
pub(super) unsafe fn read_address(at: *mut u8) -> *mut u8 {
    // SAFETY: the caller's promise is the one that is asked for.
    let address = unsafe { (*at.cast::<AtAnyAddress<usize>>()).0 };
    with_exposed_provenance_mut(address)
}

/// Exposes a pointer's provenance, and stores its address at any alignment.
///
/// # Safety
///
/// There is room for it.
pub(super) unsafe fn write_address(at: *mut u8, pointer: *mut u8) {
    let address = pointer.expose_provenance();
    // SAFETY: the caller's promise is the one that is asked for.
    unsafe { (*at.cast::<AtAnyAddress<usize>>()).0 = address }
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
                marks.operand(ADDR_OP1);
                let addr_op1 = VmPtr::at(base + addr_op1);
                marks.operand(ADDR_OP2);
                let addr_op2 = VmPtr::at(addr_op2 + base);
                marks.operand(ADDR_RES);
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

    unsafe fn read_pointer(&mut self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { read_address(at) }
    }

    unsafe fn write_pointer(&mut self, at: *mut u8, pointer: *mut u8) {
        // SAFETY: as above.
        unsafe { write_address(at, pointer) }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        Some(VmPtr::at(self.base.address.get() + addr).as_ptr())
    }
}
