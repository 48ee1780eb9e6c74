//! The wire form of a program: what `harness/bytecode/wire.py` writes.
//!
//! All numbers are little-endian: the memory's size (u64), its initial bytes, then opcodes to
//! the end: a byte that names the opcode, addresses (u64 each), and a `WriteConst`'s value.

use crate::program::{Op, Opcode, Program};

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
/// Lengths are checked once for each opcode, and the rest is indexing, which takes an
/// interpreter no call.
pub fn decode(wire: &[u8]) -> Result<Program<'_>, Malformed> {
    let length = wire.len();
    if length < 8 {
        return Err(Malformed::Truncated);
    }
    let size = u64_at(wire, 0);
    if size > (length - 8) as u64 {
        return Err(Malformed::Truncated);
    }
    let mut at = 8 + size as usize;
    let initial = &wire[8..at];
    // Room for as many as there can be at most.
    let mut opcodes = Vec::with_capacity((length - at) / SHORTEST_OPCODE);
    while at < length {
        let opcode = wire[at];
        let end = match opcode {
            WRITE_CONST_U8 => at + SHORTEST_OPCODE,
            WRITE_CONST_U16 => at + SHORTEST_OPCODE + 1,
            ADD_U8 | ADD_U16 => at + 25,
            _ => return Err(Malformed::UnknownOpcode { opcode, offset: at }),
        };
        if end > length {
            return Err(Malformed::Truncated);
        }
        opcodes.push(match opcode {
            WRITE_CONST_U8 => {
                Opcode::U8(Op::WriteConst { addr: u64_at(wire, at + 1), value: wire[at + 9] })
            }
            WRITE_CONST_U16 => {
                // The bytes as they will lie in memory, so not `from_le_bytes`.
                let value = u16::from_ne_bytes([wire[at + 9], wire[at + 10]]);
                Opcode::U16(Op::WriteConst { addr: u64_at(wire, at + 1), value })
            }
            ADD_U8 => Opcode::U8(add_at(wire, at)),
            _ => Opcode::U16(add_at(wire, at)),
        });
        at = end;
    }
    Ok(Program { initial, opcodes })
}

/// Bytes of a `WriteConstU8`.
const SHORTEST_OPCODE: usize = 10;

/// The `Add` whose opcode stands at `at`.
fn add_at<T>(wire: &[u8], at: usize) -> Op<T, u64> {
    Op::Add {
        addr_op1: u64_at(wire, at + 1),
        addr_op2: u64_at(wire, at + 9),
        addr_res: u64_at(wire, at + 17),
    }
}

fn u64_at(wire: &[u8], at: usize) -> u64 {
    u64::from_le_bytes([
        wire[at],
        wire[at + 1],
        wire[at + 2],
        wire[at + 3],
        wire[at + 4],
        wire[at + 5],
        wire[at + 6],
        wire[at + 7],
    ])
}

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
        let program = decode(&wire).expect("well-formed");
        assert_eq!(program.initial, [0xaa, 0xbb]);
        let (addr_op1, addr_op2, addr_res) = (3, 4, u64::MAX);
        let opcodes = [
            Opcode::U8(Op::WriteConst { addr: 1, value: 0xc1 }),
            Opcode::U16(Op::WriteConst { addr: 0x102, value: 0x1234_u16.to_le() }),
            Opcode::U8(Op::Add { addr_op1, addr_op2, addr_res }),
            Opcode::U16(Op::Add { addr_op1, addr_op2, addr_res }),
        ];
        assert_eq!(program.opcodes, opcodes);
    }

    #[test]
    fn a_program_may_be_empty_and_its_memory_too() {
        let program = decode(&[0; 8]).expect("well-formed");
        assert_eq!(program, Program { initial: &[], opcodes: vec![] });
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
                assert_eq!(decoded, Err(Malformed::Truncated), "{end} bytes");
            }
        }
    }

    #[test]
    fn a_size_beyond_the_input_is_truncation_without_an_allocation() {
        assert_eq!(decode(&[0xff; 16]), Err(Malformed::Truncated));
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
            assert_eq!(decode(&wire), Err(Malformed::UnknownOpcode { opcode, offset: 8 }));
        }
    }
}
