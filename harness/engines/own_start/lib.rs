//! A way of touching memory, to be held against the corpus: `harness run --variant .`
//!
//! The VM checks every address and compiles every opcode once; what an operand is made into, and
//! how it is then read and written, is decided here. This one is sound: every operand is a
//! pointer derived from one base. Put your own VM's way in its place.

use harness_vm::{Entry, Marks, Op, Value, Variant, entry};

/// What `harness run --variant` runs: any number of variants, each with a name of its own.
pub const VARIANTS: &[Entry] = &[entry!("@name", Mine)];

/// One base pointer, made once; operands are offsets from it.
pub struct Mine {
    base: *mut u8,
}

impl<'m> Variant<'m> for Mine {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        Mine {
            base: memory.as_mut_ptr(),
        }
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the address is in bounds of the memory that `base` points to.
        op.map(marks, |addr| unsafe { self.base.add(addr) }.cast())
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: in bounds, aligned and initialised, and the borrow behind `base` is not used
        // while this value lives.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }
}

#[cfg(test)]
mod tests {
    use super::VARIANTS;

    #[test]
    fn adds() {
        // Memory 20 22 00, one step at most, and an addition of bytes 0 and 1 into 2.
        let mut wire = vec![
            3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 22, 0, 0x11,
        ];
        for addr in [0_u64, 1, 2] {
            wire.extend(addr.to_le_bytes());
        }
        // SAFETY: the variant is sound.
        let finished = unsafe { harness_vm::run(&VARIANTS[0], &wire, false) };
        assert_eq!(finished.unwrap().memory, [20, 22, 42]);
    }
}
