//! `reborrow`: the memory is borrowed anew for every operand. Undefined behaviour, on purpose.

use crate::blocks;
use crate::host;
use crate::marks::{AT_OP, AT_RES, Marks};
use crate::program::{Op, Value};
use crate::variant::Variant;

/// What the thread began with: `compile` takes the memory as `&mut [u8]`, and every operand is
/// a pointer from an `as_mut_ptr()` of its own.
///
/// Each call is a new mutable borrow of the whole memory, which ends the claims of all pointers
/// made before it. The rule that the run phase breaks: a pointer must not be used after the
/// borrow that it was derived from has been invalidated.
pub struct Reborrow<'m> {
    memory: &'m mut [u8],
}

fn compile<T: Value>(memory: &mut [u8], op: Op<T, usize>, marks: &mut impl Marks) -> Op<T, *mut T> {
    // SAFETY: the address is in bounds of the slice that the pointer has just been made from.
    op.map(marks, |addr| unsafe { memory.as_mut_ptr().add(addr) as *mut T })
}

/// # Safety
///
/// Both ranges are in bounds of `memory`. Not sound all the same: the second borrow ends the
/// claim of the first.
unsafe fn copy(
    memory: &mut [u8],
    from: usize,
    to: usize,
    size: usize,
    overlapping: bool,
    marks: &mut impl Marks,
) {
    marks.operand(AT_OP);
    // SAFETY: the address is in bounds of the slice that the pointer has just been made from.
    let source = unsafe { memory.as_mut_ptr().add(from) };
    marks.operand(AT_RES);
    // SAFETY: as above.
    let target = unsafe { memory.as_mut_ptr().add(to) };
    // SAFETY: both ranges are in bounds; see above for the broken rule.
    unsafe { blocks::between(source, target, size, overlapping) }
}

impl<'m> Variant<'m> for Reborrow<'m> {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        Reborrow { memory }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        compile(self.memory, op, marks)
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds and aligned, but not sound: see `Reborrow` for the broken rule.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }

    unsafe fn pointer(&mut self, addr: usize) -> Option<*mut u8> {
        // SAFETY: in bounds of the slice that the pointer has just been made from.
        Some(unsafe { self.memory.as_mut_ptr().add(addr) })
    }

    unsafe fn copy(
        &mut self,
        from: usize,
        to: usize,
        size: usize,
        overlapping: bool,
        marks: &mut impl Marks,
    ) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { copy(self.memory, from, to, size, overlapping, marks) }
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand(AT_RES);
        // SAFETY: in bounds of the slice that the pointer has just been made from.
        let target = unsafe { self.memory.as_mut_ptr().add(to) };
        // SAFETY: all of the range is in bounds.
        unsafe { target.write_bytes(byte, size) }
    }

    unsafe fn host_read(&mut self, addr: usize, _: usize, marks: &mut impl Marks) -> u8 {
        marks.operand(AT_OP);
        host::read(self.memory, addr)
    }

    unsafe fn host_write(&mut self, addr: usize, _: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand(AT_RES);
        host::write(self.memory, addr, byte);
    }
}
