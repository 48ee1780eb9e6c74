//! `cell`: shared references to single bytes. Safe code throughout.

use std::cell::Cell;

use crate::marks::Marks;
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
        let cells = from.as_ref();
        T::from_bytes(T::each(|byte| cells[byte].get()))
    }

    unsafe fn store<T: Value>(&mut self, to: T::Bytes<&'m Cell<u8>>, value: T) {
        let bytes = value.to_bytes();
        let (cells, bytes) = (to.as_ref(), bytes.as_ref());
        let mut byte = 0;
        while byte < T::SIZE {
            cells[byte].set(bytes[byte]);
            byte += 1;
        }
    }
}
