//! `cell`: shared references to single bytes. Safe code throughout.

use std::cell::Cell;

use crate::marks::{AT_OP, AT_RES, Marks};
use crate::program::{Op, Value};
use crate::variant::Variant;

/// The thread's other repair, in the form that needs no `unsafe`: the borrow becomes a slice of
/// cells, an operand one `&Cell<u8>` for each of its bytes.
///
/// A shared reference to a `Cell` claims nothing that another one could take away.
pub struct CellBytes<'m> {
    memory: &'m [Cell<u8>],
}

fn compile<'m, T: Value>(
    memory: &'m [Cell<u8>],
    op: Op<T, usize>,
    marks: &mut impl Marks,
) -> Op<T, T::Bytes<&'m Cell<u8>>> {
    op.map(marks, |addr| T::each(|byte| &memory[addr + byte]))
}

impl<'m> Variant<'m> for CellBytes<'m> {
    type Operand<T: Value> = T::Bytes<&'m Cell<u8>>;
    const POINTERS: bool = false;

    fn over(memory: &'m mut [u8]) -> Self {
        CellBytes { memory: Cell::from_mut(memory).as_slice_of_cells() }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, T::Bytes<&'m Cell<u8>>> {
        compile(self.memory, op, marks)
    }

    unsafe fn load<T: Value>(&mut self, from: T::Bytes<&'m Cell<u8>>) -> T {
        T::from_bytes(T::map(from, Cell::get))
    }

    unsafe fn store<T: Value>(&mut self, to: T::Bytes<&'m Cell<u8>>, value: T) {
        T::zip(to, value.to_bytes(), Cell::set);
    }

    unsafe fn copy(
        &mut self,
        from: usize,
        to: usize,
        size: usize,
        overlapping: bool,
        marks: &mut impl Marks,
    ) {
        let backwards = overlapping && from < to;
        let mut done = 0;
        while done < size {
            let at = if backwards { size - 1 - done } else { done };
            marks.operand(AT_OP);
            let byte = self.memory[from + at].get();
            marks.operand(AT_RES);
            self.memory[to + at].set(byte);
            done += 1;
        }
    }

    unsafe fn fill(&mut self, to: usize, size: usize, byte: u8, marks: &mut impl Marks) {
        marks.operand(AT_RES);
        let mut done = 0;
        while done < size {
            self.memory[to + done].set(byte);
            done += 1;
        }
    }
}
