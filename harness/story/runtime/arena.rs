//! Memory for a block: a page between two that nothing may touch, and a stack.

use std::ptr::null_mut;

pub const PAGE: usize = 4096;
/// Below the stack pointer; a block with `nostack` leaves it alone.
pub const RED_ZONE: usize = 128;
/// Bytes of the caller's frame that are looked at.
const FRAME: usize = 256;
const STACK: usize = 64 * PAGE;

unsafe extern "C" {
    fn mmap(at: *mut u8, size: usize, access: i32, flags: i32, file: i32, from: i64) -> *mut u8;
    fn mprotect(at: *mut u8, size: usize, access: i32) -> i32;
}

/// A page of memory, with a page before and a page behind it that nothing can be done with.
pub struct Arena {
    page: *mut u8,
}

impl Arena {
    pub fn new() -> Arena {
        Arena { page: map(PAGE) }
    }

    pub fn bytes(&self) -> &'static mut [u8] {
        // SAFETY: the page is mapped for good, and between two calls nothing keeps the reference.
        unsafe { std::slice::from_raw_parts_mut(self.page, PAGE) }
    }
}

/// The stack that blocks run on.
pub struct Stack {
    pointer: *mut u8,
}

impl Stack {
    pub fn new() -> Stack {
        Stack { pointer: map(STACK).wrapping_add(STACK - PAGE) }
    }

    /// Aligned to 16 bytes, as a block may rely on.
    pub fn pointer(&self) -> u64 {
        self.pointer as u64
    }

    pub fn red_zone(&self) -> &'static mut [u8] {
        // SAFETY: as in `Arena::bytes`; it lies within the mapping.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.wrapping_sub(RED_ZONE), RED_ZONE) }
    }

    pub fn frame(&self) -> &'static mut [u8] {
        // SAFETY: as in `Arena::bytes`; a page lies above the pointer.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, FRAME) }
    }
}

/// `size` bytes between two pages without access.
fn map(size: usize) -> *mut u8 {
    const NONE: i32 = 0;
    const READ_WRITE: i32 = 3;
    // Shared, so that what another process did there can be seen after its end.
    const SHARED_ANONYMOUS: i32 = 0x21;
    // SAFETY: a mapping at an address of the system's choice is nobody else's.
    unsafe {
        let all = mmap(null_mut(), size + 2 * PAGE, NONE, SHARED_ANONYMOUS, -1, 0);
        assert!(all as isize != -1, "no memory");
        let inner = all.wrapping_add(PAGE);
        assert!(mprotect(inner, size, READ_WRITE) == 0, "no memory");
        inner
    }
}
