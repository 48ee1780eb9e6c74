//! `index`: safe slice indexing, the baseline.

use crate::host;
use crate::marks::{AT_OP, AT_RES, Marks};
use crate::program::{Op, Value};
use crate::variant::Variant;

/// Operands stay addresses; each access indexes the borrowed slice, byte by byte, with its
/// bounds check.
pub struct Index<'m> {
    memory: &'m mut [u8],
}

impl<'m> Variant<'m> for Index<'m> {
    type Operand<T: Value> = usize;
    const POINTERS: bool = false;

    fn over(memory: &'m mut [u8]) -> Self {
        Index { memory }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, usize> {
        op.map(marks, |addr| addr)
    }

    unsafe fn load<T: Value>(&mut self, from: usize) -> T {
        T::from_bytes(T::each(|byte| self.memory[from + byte]))
    }

    unsafe fn store<T: Value>(&mut self, to: usize, value: T) {
        T::zip(T::each(|byte| to + byte), value.to_bytes(), |at, byte| self.memory[at] = byte);
    }

    unsafe fn copy(
        &mut self,
        from: usize,
        to: usize,
        size: usize,
        _: bool,
        marks: &mut impl Marks,
    ) {
        marks.operand(AT_RES);
        self.memory.copy_within(from..from + size, to);
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand(AT_RES);
        self.memory[to..to + size].fill(byte);
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
