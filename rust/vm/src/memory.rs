//! The allocation that a program runs over: of exactly its size, and aligned.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// The base of a program's memory is a multiple of this, in bytes.
pub const ALIGNMENT: usize = 16;

/// An allocation of its own for a program's memory.
///
/// A `Vec<u8>` would do but for its alignment of 1, a vector of aligned chunks but for its size.
pub struct Memory {
    base: NonNull<u8>,
    layout: Layout,
}

impl Memory {
    /// Memory that holds `initial`.
    ///
    /// Panics if that is so large that no allocation with the alignment can be.
    pub fn holding(initial: &[u8]) -> Memory {
        let layout = Layout::from_size_align(initial.len(), ALIGNMENT);
        let layout = layout.expect("a slice is far smaller than the address space");
        let mut memory = Memory { base: allocate(layout), layout };
        memory.bytes().copy_from_slice(initial);
        memory
    }

    /// The owner's borrow of all of it.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `base` is aligned and valid for reads and writes of `size` initialised bytes
        // (for no bytes, it need only be aligned); `self` is borrowed as long as the slice is.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.layout.size()) }
    }
}

fn allocate(layout: Layout) -> NonNull<u8> {
    if layout.size() == 0 {
        // No allocation, but a pointer that is aligned like one.
        return NonNull::<Aligned>::dangling().cast();
    }
    // SAFETY: the layout's size is not zero.
    let base = unsafe { alloc_zeroed(layout) };
    match NonNull::new(base) {
        Some(base) => base,
        None => handle_alloc_error(layout),
    }
}

/// A type with the alignment of [`ALIGNMENT`], for a pointer to no bytes.
#[repr(align(16))]
struct Aligned;

const _: () = assert!(align_of::<Aligned>() == ALIGNMENT);

impl Drop for Memory {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: `base` comes from `allocate` with this layout and is freed here alone.
            unsafe { dealloc(self.base.as_ptr(), self.layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_aligned_and_holds_what_it_was_given() {
        for size in [0, 1, 2, 15, 16, 17, 300] {
            let initial: Vec<u8> = (0..size).map(|index| index as u8).collect();
            let mut memory = Memory::holding(&initial);
            assert_eq!(memory.bytes(), initial);
            assert_eq!(memory.bytes().as_ptr().addr() % ALIGNMENT, 0);
            memory.bytes().fill(0xff);
        }
    }
}
