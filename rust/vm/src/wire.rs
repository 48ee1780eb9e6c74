//! The wire form of a program: what `harness/bytecode/wire.py` writes.
//!
//! All numbers are little-endian: the memory's size (u64), its initial bytes, then opcodes to
//! the end: a byte that names the opcode, addresses (u64 each), and a `WriteConst`'s value.

use std::ptr::slice_from_raw_parts;

use crate::program::{Opcode, Program};

/// `WriteConstU8`
pub const WRITE_CONST_U8: u8 = 0x01;
/// `WriteConstU16`
pub const WRITE_CONST_U16: u8 = 0x02;
/// `AddU8`
pub const ADD_U8: u8 = 0x11;
/// `AddU16`
pub const ADD_U16: u8 = 0x12;

/// The bytes are not a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The input ends where more bytes must follow.
    Truncated,
    /// No opcode has this byte, which stands at this offset.
    UnknownOpcode {
        /// The byte.
        opcode: u8,
        /// Its distance from the input's start.
        offset: usize,
    },
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::Truncated => out.write_str("the program ends in the middle"),
            Malformed::UnknownOpcode { opcode, offset } => {
                write!(out, "no opcode is {opcode:#04x} (byte {offset} of the program)")
            }
        }
    }
}

impl std::error::Error for Malformed {}

/// The program that `wire` holds.
///
/// Lengths are checked here, once; [`Opcodes`] then reads without a check.
pub fn decode(wire: &[u8]) -> Result<Program<'_>, Malformed> {
    let length = wire.len();
    if length < 8 {
        return Err(Malformed::Truncated);
    }
    let base = wire.as_ptr();
    // SAFETY: there are 8 bytes.
    let Packed(size) = unsafe { *(base as *const Packed<u64>) };
    let size = u64::from_le(size);
    if size > (length - 8) as u64 {
        return Err(Malformed::Truncated);
    }
    let start = 8 + size as usize;
    let mut at = start;
    let mut count = 0;
    while at < length {
        let opcode = wire[at];
        let next = match opcode {
            WRITE_CONST_U8 => at + 10,
            WRITE_CONST_U16 => at + 11,
            ADD_U8 | ADD_U16 => at + 25,
            _ => return Err(Malformed::UnknownOpcode { opcode, offset: at }),
        };
        if next > length {
            return Err(Malformed::Truncated);
        }
        at = next;
        count += 1;
    }
    // SAFETY: the memory's bytes begin there.
    let initial = unsafe { base.add(8) };
    // SAFETY: as many follow.
    let initial = unsafe { &*slice_from_raw_parts(initial, size as usize) };
    Ok(Program { initial, opcodes: Opcodes { wire, base, at: start, left: count } })
}

/// Opcodes as they stand on the wire, read one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Opcodes<'w> {
    /// Has well-formed opcodes without a gap, from `at` to the end.
    wire: &'w [u8],
    /// Where `wire` begins.
    base: *const u8,
    /// Where the next one begins.
    at: usize,
    left: usize,
}

impl Opcodes<'_> {
    /// How many are left.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next one; panics if none is left.
    pub fn take(&mut self) -> Opcode {
        let at = self.at;
        let code = self.wire[at];
        self.left -= 1;
        // SAFETY: `decode` has seen that the opcode's bytes are all there.
        let operands = unsafe { self.base.add(at + 1) };
        if code == ADD_U8 || code == ADD_U16 {
            self.at = at + 25;
            // SAFETY: as above.
            let Packed([op1, op2, res]) = unsafe { *(operands as *const Packed<[u64; 3]>) };
            let addresses = [u64::from_le(op1), u64::from_le(op2), u64::from_le(res)];
            return Opcode { code, addresses, byte: 0, pair: 0 };
        }
        let byte = self.wire[at + 9];
        let mut pair = 0;
        self.at = at + 10;
        if code == WRITE_CONST_U16 {
            self.at = at + 11;
            // SAFETY: as above.
            let value = unsafe { self.base.add(at + 9) };
            // SAFETY: as above. As it will lie in memory, so not `from_le`.
            Packed(pair) = unsafe { *(value as *const Packed<u16>) };
        }
        // SAFETY: as above.
        let Packed(addr) = unsafe { *(operands as *const Packed<u64>) };
        Opcode { code, addresses: [u64::from_le(addr), 0, 0], byte, pair }
    }
}

/// A value at any address.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Packed<T>(T);

#[cfg(test)]
mod tests {
    use super::*;

    /// Every opcode once, over the memory `aa bb`.
    fn every_opcode() -> Vec<u8> {
        let mut wire = vec![2, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb];
        wire.extend([0x01, 1, 0, 0, 0, 0, 0, 0, 0, 0xc1]);
        wire.extend([0x02, 2, 1, 0, 0, 0, 0, 0, 0, 0x34, 0x12]);
        for opcode in [0x11, 0x12] {
            wire.push(opcode);
            for addr in [3, 4, u64::MAX] {
                wire.extend(u64::to_le_bytes(addr));
            }
        }
        wire
    }

    #[test]
    fn every_opcode_is_decoded() {
        let wire = every_opcode();
        let mut program = decode(&wire).expect("well-formed");
        assert_eq!(program.initial, [0xaa, 0xbb]);
        let sum = [3, 4, u64::MAX];
        let opcodes = [
            Opcode { code: WRITE_CONST_U8, addresses: [1, 0, 0], byte: 0xc1, pair: 0 },
            Opcode {
                code: WRITE_CONST_U16,
                addresses: [0x102, 0, 0],
                byte: 0x34,
                pair: 0x1234_u16.to_le(),
            },
            Opcode { code: ADD_U8, addresses: sum, byte: 0, pair: 0 },
            Opcode { code: ADD_U16, addresses: sum, byte: 0, pair: 0 },
        ];
        assert_eq!(program.opcodes.len(), opcodes.len());
        for opcode in opcodes {
            assert_eq!(program.opcodes.take(), opcode);
        }
        assert!(program.opcodes.is_empty());
    }

    #[test]
    fn a_program_may_be_empty_and_its_memory_too() {
        let program = decode(&[0; 8]).expect("well-formed");
        assert!(program.initial.is_empty() && program.opcodes.is_empty());
    }

    #[test]
    fn every_cut_is_noticed() {
        let wire = every_opcode();
        let whole = [10, 20, 31, 56, 81];
        for end in 0..=wire.len() {
            let decoded = decode(&wire[..end]);
            if whole.contains(&end) {
                assert!(decoded.is_ok(), "{end} bytes");
            } else {
                assert_eq!(decoded.err(), Some(Malformed::Truncated), "{end} bytes");
            }
        }
    }

    #[test]
    fn a_size_beyond_the_input_is_truncation_without_an_allocation() {
        assert_eq!(decode(&[0xff; 16]).err(), Some(Malformed::Truncated));
    }

    #[test]
    fn every_other_byte_is_no_opcode() {
        for opcode in 0..=255 {
            let mut wire = vec![0; 8];
            wire.push(opcode);
            wire.extend([0; 24]);
            if [WRITE_CONST_U8, WRITE_CONST_U16, ADD_U8, ADD_U16].contains(&opcode) {
                continue;
            }
            let malformed = Malformed::UnknownOpcode { opcode, offset: 8 };
            assert_eq!(decode(&wire).err(), Some(malformed));
        }
    }
}
