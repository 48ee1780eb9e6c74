//! `shared-base`: the base is made of a shared reference. Undefined behaviour as soon as something
//! is written, on purpose.

use std::ptr::NonNull;

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::Raw;

/// `raw` with a base out of a `&[u8]`: what a virtual machine does that hands out a pointer to
/// memory of its own from a method with `&self`.
///
/// The rule that every write breaks is that nothing is written through what was made of a shared
/// reference, unless it lies in an `UnsafeCell`.
pub struct SharedBase(Raw);

impl<'m> Variant<'m> for SharedBase {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        let shared: &'m [u8] = memory;
        SharedBase(Raw { base: NonNull::from(shared).cast().as_ptr() })
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.0.compile(op, marks) }
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: made by `compile`; to be read it may be.
        unsafe { self.0.load(from) }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: not sound: see above for the broken rule.
        unsafe { self.0.store(to, value) }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: the caller's promise is the one that is asked for; as in `store`.
        unsafe { self.0.pointer(addr) }
    }
}
