//! `cached-base`: the base is never made anew. Undefined behaviour once the memory has moved, on
//! purpose.

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::Raw;

/// `raw` that keeps its base when the memory grows: what a virtual machine does that holds the
/// base in a variable of its run loop, and forgets that a call may move the memory.
///
/// The old memory is given back, and the rule that everything after breaks is that memory must
/// not be used once it has been.
pub struct CachedBase(Raw);

impl<'m> Variant<'m> for CachedBase {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        CachedBase(Raw::over(memory))
    }

    fn grown(&mut self, _: &'m mut [u8]) {}

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.0.compile(op, marks) }
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: as in `compile`, but not sound: see above for the broken rule.
        unsafe { self.0.load(from) }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { self.0.store(to, value) }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: as in `load`.
        unsafe { self.0.pointer(addr) }
    }
}
