//! `vm-ptr`: a context that is shared with compiled code holds the base as an exposed address.

use std::ptr::NonNull;

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;
use crate::variants::exposed::{VmPtr, read_address, write_address};

/// Types that compiled code may look at, after wasmtime's trait of the same name: their layout is
/// known, and there are no pointers in them but [`VmPtr`]s.
///
/// # Safety
///
/// The type is an integer, a `VmPtr`, or a `#[repr(C)]` structure of such types.
pub unsafe trait VmSafe {}

// SAFETY: an integer.
unsafe impl VmSafe for u8 {}

// SAFETY: an integer.
unsafe impl VmSafe for usize {}

// SAFETY: it exposes the provenance of whatever it is made of.
unsafe impl<T: VmSafe> VmSafe for VmPtr<T> {}

/// The memory as compiled code finds it.
#[repr(C)]
struct MemoryDefinition {
    base: VmPtr<u8>,
    length: usize,
}

// SAFETY: a `#[repr(C)]` structure whose fields are all `VmSafe`.
unsafe impl VmSafe for MemoryDefinition {}

impl MemoryDefinition {
    fn of(memory: &mut [u8]) -> Self {
        let length = memory.len();
        MemoryDefinition { base: VmPtr::exposing(NonNull::from(memory).cast()), length }
    }
}

/// What compiled code is handed, and reads at each access.
#[repr(C)]
struct Context<M: VmSafe> {
    memory: M,
}

/// Operands stay addresses. Each access reads the base out of the context anew, adds the two up as
/// integers, and makes a pointer of the sum: so the memory may move, and no operand has to know.
pub struct VmPtrs {
    context: Context<MemoryDefinition>,
}

impl VmPtrs {
    fn at<T>(&self, addr: usize) -> *mut T {
        let memory = &self.context.memory;
        debug_assert!(addr <= memory.length);
        memory.base.offset(addr).as_ptr()
    }
}

impl<'m> Variant<'m> for VmPtrs {
    type Operand<T: Value> = usize;

    fn over(memory: &'m mut [u8]) -> Self {
        VmPtrs { context: Context { memory: MemoryDefinition::of(memory) } }
    }

    fn grown(&mut self, memory: &'m mut [u8]) {
        self.context.memory = MemoryDefinition::of(memory);
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, usize> {
        op.map(marks, |addr| addr)
    }

    unsafe fn load<T: Value>(&mut self, from: usize) -> T {
        // SAFETY: in bounds, aligned, initialised; the base's provenance was exposed and covers
        // it, and the borrow behind the base is not used while this value lives.
        unsafe { *self.at::<T>(from) }
    }

    unsafe fn store<T: Value>(&mut self, to: usize, value: T) {
        // SAFETY: as in `load`.
        unsafe { *self.at::<T>(to) = value }
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
        Some(self.at(addr))
    }
}
