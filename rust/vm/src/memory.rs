//! Allocations of their own: the memory that a program runs over, and what it is compiled to.
//!
//! They come from the C library where there is one: an interpreter takes 1.7 ms for a `Vec`,
//! 0.4 ms for `std::alloc` with its layouts, and 0.04 ms for this.

use std::ptr::{copy_nonoverlapping, null_mut, slice_from_raw_parts_mut, without_provenance_mut};

/// The base of a program's memory is a multiple of this, in bytes.
pub const ALIGNMENT: usize = 16;

/// Bytes up to which a program's memory may grow.
pub const GROWTH_LIMIT: u64 = 1 << 20;

/// An allocation for a program's memory: of exactly its size, and aligned.
///
/// A `Vec<u8>` would do but for its alignment of 1, a vector of aligned chunks but for its size.
pub struct Memory {
    base: *mut u8,
    size: usize,
    /// The same, so that it is lent without a call.
    bytes: *mut [u8],
}

impl Memory {
    /// Memory that holds `initial`.
    ///
    /// Panics if that is so large that no allocation with the alignment can be.
    pub fn holding(initial: &[u8]) -> Memory {
        let size = initial.len();
        let base = if size == 0 { NOWHERE } else { allocator::allocate(size) };
        assert!(base != NULL, "no memory");
        // SAFETY: both have the length, and what has just been allocated overlaps nothing.
        unsafe { copy_nonoverlapping(&raw const *initial as *const u8, base, size) };
        Memory { base, size, bytes: slice_from_raw_parts_mut(base, size) }
    }

    /// How many bytes there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether the pointer has the address of one of its bytes.
    pub fn has(&self, pointer: *mut u8) -> bool {
        let (base, address) = (self.base.addr(), pointer.addr());
        address >= base && address - base < self.size
    }

    /// The owner's borrow of all of it.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: they are aligned and valid for reads and writes of as many initialised bytes
        // (for no bytes, it need only be aligned); `self` is borrowed as long as the slice is.
        unsafe { &mut *self.bytes }
    }

    /// The owner's borrow of all of it, for as long as the caller likes.
    ///
    /// # Safety
    ///
    /// It is used no more once the memory has grown or is gone. Whatever the owner does to the
    /// memory meanwhile ends its claim.
    pub unsafe fn lend<'m>(&mut self) -> &'m mut [u8] {
        // SAFETY: as for `bytes`, with the caller's promise for the lifetime.
        unsafe { &mut *self.bytes }
    }

    /// Moves the bytes to where there is room for `more` of them, which are zero; false where
    /// there is none, or where they would be more than [`GROWTH_LIMIT`].
    pub fn grow(&mut self, more: u64) -> bool {
        let size = self.size;
        if more > GROWTH_LIMIT || size as u64 + more > GROWTH_LIMIT {
            return false;
        }
        let more = more as usize;
        let base = allocator::allocate(size + more);
        if base == NULL {
            return false;
        }
        // SAFETY: what has just been allocated overlaps nothing, and is at least as large.
        unsafe { copy_nonoverlapping(self.base, base, size) };
        // SAFETY: the first byte of what is left, or right behind it.
        let rest = unsafe { base.add(size) };
        // SAFETY: so many bytes are left.
        unsafe { rest.write_bytes(0, more) };
        let size = size + more;
        // What was here is given back.
        *self = Memory { base, size, bytes: slice_from_raw_parts_mut(base, size) };
        true
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.size != 0 {
            // SAFETY: it was allocated with the size, and is used no more.
            unsafe { allocator::free(self.base, self.size) }
        }
    }
}

/// A list of plain values.
pub struct List<T: Copy> {
    /// Those from `length` on are not written yet; whoever writes them says so by
    /// [`hold`](List::hold). Indexed as a pointer to a slice, which takes an interpreter no call.
    pub(crate) values: *mut [T],
    /// How many there is room for.
    capacity: usize,
    length: usize,
}

impl<T: Copy> List<T> {
    /// A list with room for nothing yet.
    pub const EMPTY: Self =
        List { values: slice_from_raw_parts_mut(NOWHERE as *mut T, 0), capacity: 0, length: 0 };

    /// An empty list that does not move before there are so many values in it; for none of them it
    /// makes no allocation.
    ///
    /// Panics if that is so large that there is no such allocation.
    pub fn with_room_for(capacity: usize) -> Self {
        const { assert!(align_of::<T>() <= ALIGNMENT && size_of::<T>() != 0) };
        assert!(capacity < const { isize::MAX as usize / (size_of::<T>() + 1) });
        let size = capacity * const { size_of::<T>() };
        let base = if size == 0 { NOWHERE } else { allocator::allocate(size) };
        assert!(base != NULL, "no memory");
        let values = slice_from_raw_parts_mut(base as *mut T, capacity);
        List { values, capacity, length: 0 }
    }

    /// Adds a value.
    pub fn push(&mut self, value: T) {
        let at = self.length;
        if at == self.capacity {
            self.make_room();
        }
        // SAFETY: the room is aligned and belongs to this list alone; indexing panics beyond it.
        unsafe { (*self.values)[at] = value };
        self.length = at + 1;
    }

    /// Moves the values to where there is room for twice as many.
    fn make_room(&mut self) {
        let larger = List::with_room_for(2 * self.length + 4);
        // SAFETY: so many have been written, and what has just been allocated overlaps nothing and
        // has room for more.
        unsafe { copy_nonoverlapping(self.values as *mut T, larger.values as *mut T, self.length) };
        let length = self.length;
        *self = larger;
        self.length = length;
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Takes a value out, and puts the last one in its place; panics if there is none.
    pub fn swap_remove(&mut self, index: usize) {
        assert!(index < self.length);
        let last = self.get(self.length - 1);
        // SAFETY: as in `push`.
        unsafe { (*self.values)[index] = last };
        self.length -= 1;
    }

    /// Says how many values have been written.
    ///
    /// # Safety
    ///
    /// So many have been.
    pub unsafe fn hold(&mut self, length: usize) {
        self.length = length;
    }

    /// The value with this index; panics if there is none.
    pub fn get(&self, index: usize) -> T {
        assert!(index < self.length);
        // SAFETY: `push` has written it.
        unsafe { (*self.values)[index] }
    }
}

impl<T: Copy> Drop for List<T> {
    fn drop(&mut self) {
        if self.capacity != 0 {
            let size = self.capacity * const { size_of::<T>() };
            // SAFETY: it was allocated with the size, and is used no more.
            unsafe { allocator::free(self.values as *mut u8, size) }
        }
    }
}

/// A constant, since to call for it takes an interpreter as long as an instruction.
pub(crate) const NULL: *mut u8 = null_mut();

/// No allocation, but a pointer that is aligned like one.
const NOWHERE: *mut u8 = without_provenance_mut(ALIGNMENT);

// No structure that drops itself: for each of them in another an interpreter does two calls.
#[cfg(unix)]
pub(crate) mod allocator {
    use super::{ALIGNMENT, NULL};

    unsafe extern "C" {
        fn posix_memalign(base: *mut *mut u8, alignment: usize, size: usize) -> i32;
        #[link_name = "free"]
        fn c_free(base: *mut u8);
    }

    /// Bytes aligned to [`ALIGNMENT`], one at least; null if there is no such allocation.
    pub fn allocate(size: usize) -> *mut u8 {
        let mut base = NULL;
        // SAFETY: the alignment is a power of two and a multiple of a pointer's size.
        let error = unsafe { posix_memalign(&raw mut base, ALIGNMENT, size) };
        if error == 0 { base } else { NULL }
    }

    /// # Safety
    ///
    /// `base` comes from [`allocate`], and is used no more.
    pub unsafe fn free(base: *mut u8, _: usize) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { c_free(base) }
    }

    /// As [`allocate`], for memory that is given back without its size.
    pub fn allocate_block(size: usize) -> *mut u8 {
        allocate(size)
    }

    /// # Safety
    ///
    /// `block` is null, or comes from [`allocate_block`] and is used no more.
    pub unsafe fn free_block(block: *mut u8) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { c_free(block) }
    }
}

#[cfg(not(unix))]
pub(crate) mod allocator {
    use std::alloc::{Layout, alloc, dealloc};

    use super::ALIGNMENT;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, ALIGNMENT).expect("far smaller than all memory")
    }

    /// Null if there is no such allocation.
    pub fn allocate(size: usize) -> *mut u8 {
        assert!(size != 0);
        // SAFETY: the size is not zero.
        unsafe { alloc(layout(size)) }
    }

    /// # Safety
    ///
    /// `base` comes from [`allocate`] with this size, and is used no more.
    pub unsafe fn free(base: *mut u8, size: usize) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { dealloc(base, layout(size)) }
    }

    /// As [`allocate`], for memory that is given back without its size, which stands before it.
    pub fn allocate_block(size: usize) -> *mut u8 {
        let base = allocate(ALIGNMENT + size);
        if base.is_null() {
            return base;
        }
        // SAFETY: it is aligned, and has room for a number.
        unsafe { *base.cast::<usize>() = size };
        // SAFETY: it has so many bytes.
        unsafe { base.add(ALIGNMENT) }
    }

    /// # Safety
    ///
    /// `block` is null, or comes from [`allocate_block`] and is used no more.
    pub unsafe fn free_block(block: *mut u8) {
        if block.is_null() {
            return;
        }
        // SAFETY: so many bytes stand before it.
        let base = unsafe { block.sub(ALIGNMENT) };
        // SAFETY: the first of them are its size.
        let size = unsafe { *base.cast::<usize>() };
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { free(base, ALIGNMENT + size) }
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

    #[test]
    fn what_grows_keeps_its_bytes_and_has_zeros_behind_them() {
        let mut memory = Memory::holding(&[1, 2, 3]);
        assert!(memory.grow(2));
        assert_eq!(memory.bytes(), [1, 2, 3, 0, 0]);
        assert!(!memory.grow(GROWTH_LIMIT - 4) && !memory.grow(u64::MAX));
        assert_eq!(memory.bytes(), [1, 2, 3, 0, 0]);
        assert!(memory.grow(GROWTH_LIMIT - 5));
        assert_eq!(memory.bytes().len() as u64, GROWTH_LIMIT);
    }

    #[test]
    fn a_list_holds_what_was_pushed_however_much_that_is() {
        let mut list = List::with_room_for(3);
        for value in 0_u64..100 {
            list.push(value);
        }
        for value in 0..100 {
            assert_eq!(list.get(value), value as u64);
        }
        list.swap_remove(7);
        list.swap_remove(98);
        assert_eq!((list.len(), list.get(6), list.get(7), list.get(97)), (98, 6, 99, 97));
        // SAFETY: more have been written.
        unsafe { list.hold(2) };
        assert_eq!((list.len(), list.get(1), list.is_empty()), (2, 1, false));
    }

    #[test]
    #[should_panic]
    fn there_is_nothing_behind_the_last_value() {
        List::<u8>::with_room_for(2).get(0);
    }

    #[test]
    #[should_panic]
    fn what_is_not_there_cannot_be_taken_out() {
        List::<u8>::with_room_for(2).swap_remove(0);
    }
}
