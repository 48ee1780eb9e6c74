//! `wrapped`: a pointer and a length that claim the borrow's lifetime.

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use std::marker::PhantomData;

/// The thread's wrapper: a `Copy` type that has a lifetime as a `&mut [u8]` has, but holds a
/// raw pointer, so that handing it on borrows nothing.
///
/// The lifetime keeps the owner from using the memory while a copy of this is alive, which is
/// what the variants with bare pointers leave to the programmer.
#[derive(Clone, Copy)]
pub struct Wrapped<'m> {
    base: *mut u8,
    length: usize,
    memory: PhantomData<&'m mut [u8]>,
}

impl<'m> Wrapped<'m> {
    /// # Safety
    ///
    /// A `T` at `addr` is in bounds.
    unsafe fn at<T: Value>(self, addr: usize) -> *mut T {
        debug_assert!(addr + T::SIZE <= self.length);
        // SAFETY: the address is in bounds of the memory that `base` points to.
        unsafe { self.base.add(addr) as *mut T }
    }
}

/// # Safety
///
/// Every address in `op` is in bounds of `memory`.
unsafe fn compile<T: Value>(
    memory: Wrapped<'_>,
    op: Op<T, usize>,
    marks: &mut impl Marks,
) -> Op<T, *mut T> {
    // SAFETY: the address is in bounds.
    op.map(marks, |addr| unsafe { memory.at(addr) })
}

impl<'m> Variant<'m> for Wrapped<'m> {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        let (base, length) = (memory.as_mut_ptr(), memory.len());
        Wrapped { base, length, memory: PhantomData }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { compile(*self, op, marks) }
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds, aligned, initialised, and the lifetime keeps the borrow behind
        // `base` from being used.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds, as the caller has promised.
        Some(unsafe { self.at(addr) })
    }
}
