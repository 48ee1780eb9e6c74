//! Variants whose operands are addresses, which become pointers at each access.

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use std::marker::PhantomData;

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

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        Some(S::pointer(self.base, self.base.addr() + addr))
    }
}
