//! The wire form of a program: what `harness/bytecode/wire.py` writes.
//!
//! All numbers are little-endian: the memory's size (u64), its initial bytes, then opcodes to
//! the end: a byte that names the opcode, addresses (u64 each), and a `WriteConst`'s value.

use std::ptr::slice_from_raw_parts;

use crate::operator::BINARY;
use crate::program::{Opcode, Program};

/// `WriteConstU8`, the first of the four widths; so are the others.
pub const WRITE_CONST: u8 = 0x01;
/// `MoveU8`
pub const MOVE: u8 = 0x05;
/// `NotU8`
pub const NOT: u8 = 0x09;
/// What follows the last opcode with one value.
const BEHIND_UNARY: u8 = NOT + 4;
/// `AddU8`, the first of [`BINARY`](crate::operator::BINARY)
pub const ADD: u8 = 0x11;
/// What follows the last opcode.
const BEHIND: u8 = ADD + 4 * BINARY.len() as u8;

/// The width in bytes at which an opcode works.
pub fn width(code: u8) -> usize {
    1 << ((code - 1) & 3)
}

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
            WRITE_CONST..MOVE => at + 9 + width(opcode),
            MOVE..BEHIND_UNARY => at + 17,
            ADD..BEHIND => at + 25,
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
        if code >= ADD {
            self.at = at + 25;
            // SAFETY: as above.
            let Packed([op1, op2, res]) = unsafe { *(operands as *const Packed<[u64; 3]>) };
            let addresses = [u64::from_le(op1), u64::from_le(op2), u64::from_le(res)];
            return Opcode { code, addresses, value: 0 };
        }
        if code >= MOVE {
            self.at = at + 17;
            // SAFETY: as above.
            let Packed([op, res]) = unsafe { *(operands as *const Packed<[u64; 2]>) };
            return Opcode { code, addresses: [u64::from_le(op), u64::from_le(res), 0], value: 0 };
        }
        // SAFETY: as above.
        let Packed(addr) = unsafe { *(operands as *const Packed<u64>) };
        // SAFETY: as above.
        let value = unsafe { self.base.add(at + 9) };
        let width = width(code);
        self.at = at + 9 + width;
        // SAFETY: a value of the width follows the address.
        let value = unsafe { number(value, width) };
        Opcode { code, addresses: [u64::from_le(addr), 0, 0], value }
    }
}

/// The little-endian number of `width` bytes at `from`.
///
/// # Safety
///
/// So many bytes can be read there.
unsafe fn number(from: *const u8, width: usize) -> u64 {
    match width {
        1 => {
            // SAFETY: the caller's promise is the one that is asked for.
            let byte = unsafe { *from };
            u64::from(byte)
        }
        2 => {
            // SAFETY: as above.
            let Packed(pair) = unsafe { *(from as *const Packed<u16>) };
            u64::from(u16::from_le(pair))
        }
        4 => {
            // SAFETY: as above.
            let Packed(four) = unsafe { *(from as *const Packed<u32>) };
            u64::from(u32::from_le(four))
        }
        _ => {
            // SAFETY: as above.
            let Packed(eight) = unsafe { *(from as *const Packed<u64>) };
            u64::from_le(eight)
        }
    }
}

/// A value at any address.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Packed<T>(T);

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of opcode at some widths, over the memory `aa bb`.
    fn some_opcodes() -> Vec<u8> {
        let mut wire = vec![2, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb];
        wire.extend([0x01, 1, 0, 0, 0, 0, 0, 0, 0, 0xc1]);
        wire.extend([0x02, 2, 1, 0, 0, 0, 0, 0, 0, 0x34, 0x12]);
        wire.extend([0x04, 0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]);
        wire.extend([0x0b, 9, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]);
        for opcode in [0x11, 0x5c] {
            wire.push(opcode);
            for addr in [3, 4, u64::MAX] {
                wire.extend(u64::to_le_bytes(addr));
            }
        }
        wire
    }

    #[test]
    fn opcodes_are_decoded() {
        let wire = some_opcodes();
        let mut program = decode(&wire).expect("well-formed");
        assert_eq!(program.initial, [0xaa, 0xbb]);
        let three = [3, 4, u64::MAX];
        let opcodes = [
            Opcode { code: 0x01, addresses: [1, 0, 0], value: 0xc1 },
            Opcode { code: 0x02, addresses: [0x102, 0, 0], value: 0x1234 },
            Opcode { code: 0x04, addresses: [0, 0, 0], value: 0x0102_0304_0506_0708 },
            Opcode { code: 0x0b, addresses: [9, 8, 0], value: 0 },
            Opcode { code: 0x11, addresses: three, value: 0 },
            Opcode { code: 0x5c, addresses: three, value: 0 },
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
        let wire = some_opcodes();
        let whole = [10, 20, 31, 48, 65, 90, 115];
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
            if (0x01..=0x0c).contains(&opcode) || (0x11..=0x5c).contains(&opcode) {
                continue;
            }
            let malformed = Malformed::UnknownOpcode { opcode, offset: 8 };
            assert_eq!(decode(&wire).err(), Some(malformed));
        }
    }
}
