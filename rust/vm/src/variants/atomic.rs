//! `atomic`: shared references to single bytes that are atomic, accessed relaxed.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::marks::Marks;
use crate::program::{Op, Value};
use crate::variant::Variant;

/// The borrow becomes a slice of atomics, an operand one `&AtomicU8` for each of its bytes, as
/// memory has to be held that other threads may touch at the same time.
///
/// To the borrow models an atomic is a cell: a shared reference to it claims nothing that another
/// one could take away.
pub struct Atomic<'m> {
    memory: &'m [AtomicU8],
}

fn compile<'m, T: Value>(
    memory: &'m [AtomicU8],
    op: Op<T, usize>,
    marks: &mut impl Marks,
) -> Op<T, T::Bytes<&'m AtomicU8>> {
    op.map(marks, |addr| T::each(|byte| &memory[addr + byte]))
}

impl<'m> Variant<'m> for Atomic<'m> {
    type Operand<T: Value> = T::Bytes<&'m AtomicU8>;
    const POINTERS: bool = false;

    fn over(memory: &'m mut [u8]) -> Self {
        let memory: *mut [u8] = memory;
        // SAFETY: an `AtomicU8` has the size, the alignment and the values of a `u8`, and as long
        // as the borrow lasts, which is used no more, all access is atomic.
        Atomic { memory: unsafe { &*(memory as *const [AtomicU8]) } }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, T::Bytes<&'m AtomicU8>> {
        compile(self.memory, op, marks)
    }

    unsafe fn load<T: Value>(&mut self, from: T::Bytes<&'m AtomicU8>) -> T {
        T::from_bytes(T::map(from, |byte| byte.load(Ordering::Relaxed)))
    }

    unsafe fn store<T: Value>(&mut self, to: T::Bytes<&'m AtomicU8>, value: T) {
        T::zip(to, value.to_bytes(), |at, byte| at.store(byte, Ordering::Relaxed));
    }
}
