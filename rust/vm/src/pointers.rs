//! Instructions on pointers: blocks that the program allocates, and what is read and written
//! through pointers to them. Calls, whose frames are such blocks, are the machine's.
//!
//! Nothing here looks whether a pointer is right: a program that uses a wrong one is undefined,
//! and the variant with it.

use std::mem::MaybeUninit;

use crate::computed::{Computed, Fault};
use crate::marks::{ADDR_OP, ADDR_SIZE, AT_OP, AT_RES, Marks, PTR_OP};
use crate::memory::{List, Memory, NULL, allocator};
use crate::outcome::TrapKind;
use crate::program::Value;
use crate::variant::Variant;
use crate::wire::{
    ALLOCATE, FREE, IS_NULL, MOVE_POINTER, OFFSET, POINT, READ_POINTER, WRITE, WRITE_POINTER, width,
};

/// How many pointers a program can hold outside of any memory.
pub const REGISTERS: usize = 16;

/// Bytes of the largest block.
pub const BLOCK_LIMIT: u64 = 1 << 16;

/// Bytes at the beginning of a frame that hold the call's argument.
pub const ARGUMENT: usize = 8;

/// Bytes that a frame may have behind its argument.
pub const FRAME_LIMIT: u64 = BLOCK_LIMIT - ARGUMENT as u64;

/// The pointers that a program holds, null at first, and the blocks that it has not given back.
pub struct Registers {
    /// Always written. An interpreter looks at each of them whenever they move, if it may.
    held: MaybeUninit<[*mut u8; REGISTERS]>,
    blocks: List<*mut u8>,
}

impl Registers {
    /// All of them null.
    pub fn null() -> Registers {
        const { Registers { held: MaybeUninit::new([NULL; REGISTERS]), blocks: List::EMPTY } }
    }

    /// The pointer in a register.
    pub fn get(&self, register: usize) -> *mut u8 {
        let held = &raw const self.held as *const [*mut u8; REGISTERS];
        // SAFETY: it has been written.
        unsafe { (*held)[register] }
    }

    /// Puts another one there.
    pub fn set(&mut self, register: usize, pointer: *mut u8) {
        let held = &raw mut self.held as *mut [*mut u8; REGISTERS];
        // SAFETY: as above.
        unsafe { (*held)[register] = pointer };
    }

    /// A new frame, which holds the call's argument; the rest is uninitialised.
    pub fn frame(&mut self, argument: u64, size: usize) -> *mut u8 {
        let block = self.allocate(ARGUMENT + size);
        // SAFETY: the block is aligned, and has eight bytes at least.
        unsafe { *block.cast::<u64>() = argument };
        block
    }

    /// Gives a block back; null is none.
    ///
    /// # Safety
    ///
    /// The pointer comes from this program's allocations, and nobody has given it back.
    pub unsafe fn free(&mut self, block: *mut u8) {
        // From the end: what was allocated last is mostly given back first.
        let mut at = self.blocks.len();
        while at > 0 {
            at -= 1;
            if self.blocks.get(at) == block {
                self.blocks.swap_remove(at);
                break;
            }
        }
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { allocator::free_block(block) }
    }

    /// A new block, aligned to 16; panics if there is no memory for it.
    fn allocate(&mut self, size: usize) -> *mut u8 {
        let block = allocator::allocate_block(size);
        assert!(block != NULL, "no memory");
        self.blocks.push(block);
        block
    }

    /// Executes an instruction that is no call.
    ///
    /// # Safety
    ///
    /// `view` made the operand, and every pointer is used as its block allows.
    pub unsafe fn step<'m, V: Variant<'m>, M: Marks>(
        &mut self,
        op: Computed<'m, V>,
        view: &mut V,
        memory: &Memory,
        marks: &mut M,
    ) -> Result<(), Fault> {
        let [first, second] = op.numbers;
        match op.code {
            ALLOCATE => {
                // SAFETY: its operand has eight bytes.
                let size = unsafe { op.number(view, ADDR_SIZE, marks) };
                let fits = size != 0 && size <= BLOCK_LIMIT;
                // No truncation: it fits.
                let block = if fits { self.allocate(size as usize) } else { NULL };
                self.set(first, block);
            }
            FREE => {
                if M::LISTENS {
                    marks.operand(PTR_OP);
                }
                let pointer = self.get(first);
                if memory.has(pointer) {
                    return Err((TrapKind::ForeignFree, "ptr_op"));
                }
                // SAFETY: the caller's promise is the one that is asked for.
                unsafe { self.free(pointer) }
            }
            OFFSET => {
                // SAFETY: its operand has eight bytes.
                let distance = unsafe { op.number(view, ADDR_OP, marks) };
                if M::LISTENS {
                    marks.operand(PTR_OP);
                }
                // SAFETY: the caller has promised that the pointer stays within its block.
                let moved = unsafe { self.get(first).offset(signed(distance)) };
                self.set(second, moved);
            }
            MOVE_POINTER => self.set(second, self.get(first)),
            IS_NULL => {
                let is_null = u8::from(self.get(first).is_null());
                // SAFETY: its operand is a byte.
                unsafe { op.put(view, is_null, marks) };
            }
            READ_POINTER => {
                if M::LISTENS {
                    marks.operand(AT_OP);
                }
                // SAFETY: the caller's promise is the one that is asked for.
                let pointer = unsafe { view.read_pointer(self.get(first)) };
                self.set(second, pointer);
            }
            WRITE_POINTER => {
                if M::LISTENS {
                    marks.operand(AT_RES);
                }
                // SAFETY: as above.
                unsafe { view.write_pointer(self.get(second), self.get(first)) };
            }
            POINT => {
                // SAFETY: its operand has eight bytes.
                let addr = unsafe { op.number(view, ADDR_OP, marks) };
                // No truncation: it is at most the size of an allocation.
                if addr >= memory.size() as u64 {
                    return Err((TrapKind::OutOfBounds, "at_op"));
                }
                if M::LISTENS {
                    marks.operand(AT_OP);
                }
                // SAFETY: it has just been checked.
                let Some(pointer) = (unsafe { view.pointer(addr as usize) }) else {
                    return Err((TrapKind::NotExpressed, "pointer"));
                };
                self.set(first, pointer);
            }
            code => {
                macro_rules! access {
                    ($value:ty) => {{
                        // SAFETY: the operand has the width.
                        unsafe { access::<$value, V, M>(op, self.get(first), view, marks) }
                    }};
                }
                match width(code) {
                    1 => access!(u8),
                    2 => access!(u16),
                    4 => access!(u32),
                    _ => access!(u64),
                }
            }
        }
        Ok(())
    }
}

/// The distance in two's complement; as far as a pointer can go, if that is less.
fn signed(distance: u64) -> isize {
    let distance = distance as i64;
    if distance > isize::MAX as i64 {
        isize::MAX
    } else if distance < isize::MIN as i64 {
        isize::MIN
    } else {
        distance as isize
    }
}

/// Reads or writes a `T` through a pointer.
unsafe fn access<'m, T: Value, V: Variant<'m>, M: Marks>(
    op: Computed<'m, V>,
    pointer: *mut u8,
    view: &mut V,
    marks: &mut M,
) {
    let pointer = pointer.cast::<T>();
    if op.code >= WRITE {
        // SAFETY: its operand is a `T`.
        let value = unsafe { op.take::<T, M>(view, marks) };
        if M::LISTENS {
            marks.operand(AT_RES);
        }
        // SAFETY: the program must point to a `T`.
        unsafe { *pointer = value };
        return;
    }
    if M::LISTENS {
        marks.operand(AT_OP);
    }
    // SAFETY: as above.
    let value = unsafe { *pointer };
    // SAFETY: its operand is a `T`.
    unsafe { op.put(view, value, marks) };
}

impl Drop for Registers {
    fn drop(&mut self) {
        let mut at = self.blocks.len();
        while at > 0 {
            at -= 1;
            // SAFETY: what is given back is taken out of the list, so this one was not.
            unsafe { allocator::free_block(self.blocks.get(at)) };
        }
    }
}
