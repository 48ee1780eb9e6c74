//! Bytecode programs: values, opcodes, and the memory's initial bytes.

use crate::marks::Marks;
use crate::wire::Opcodes;

/// An unsigned integer of the VM, as it lies in memory: little-endian on every machine.
///
/// On a big-endian machine a `u16` is therefore held with its bytes swapped, so that a variant
/// may read and write it as it stands, whole or byte by byte; [`Value::sum`] knows.
pub trait Value: Copy + 'static {
    /// Bytes in memory, and the alignment that an address must have.
    const SIZE: usize;

    /// One `B` for each byte, that of the lowest address first.
    type Bytes<B: Copy>: Copy + AsRef<[B]>;

    /// One `B` for each byte, made from the byte's distance to the lowest address.
    fn each<B: Copy>(byte: impl FnMut(usize) -> B) -> Self::Bytes<B>;

    /// The value that lies in memory as `bytes`.
    fn from_bytes(bytes: Self::Bytes<u8>) -> Self;

    /// The bytes as which the value lies in memory.
    fn to_bytes(self) -> Self::Bytes<u8>;

    /// The sum of two values, wrapping.
    fn sum(self, other: Self) -> Self;
}

impl Value for u8 {
    const SIZE: usize = 1;
    type Bytes<B: Copy> = [B; 1];

    fn each<B: Copy>(mut byte: impl FnMut(usize) -> B) -> [B; 1] {
        [byte(0)]
    }

    fn from_bytes(bytes: [u8; 1]) -> Self {
        bytes[0]
    }

    fn to_bytes(self) -> [u8; 1] {
        [self]
    }

    fn sum(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Value for u16 {
    const SIZE: usize = 2;
    type Bytes<B: Copy> = [B; 2];

    fn each<B: Copy>(mut byte: impl FnMut(usize) -> B) -> [B; 2] {
        [byte(0), byte(1)]
    }

    fn from_bytes(bytes: [u8; 2]) -> Self {
        u16::from_ne_bytes(bytes)
    }

    fn to_bytes(self) -> [u8; 2] {
        self.to_ne_bytes()
    }

    fn sum(self, other: Self) -> Self {
        u16::from_le(self).wrapping_add(u16::from_le(other)).to_le()
    }
}

/// An operation at one width: `T` is the type of its values, `P` what stands for an operand.
///
/// `P` is an address in a program, and whatever a variant makes of it once it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<T, P> {
    /// Store `value` at `addr`.
    WriteConst {
        /// Where to.
        addr: P,
        /// What, as it lies in memory.
        value: T,
    },
    /// Store the wrapping sum of the values at `addr_op1` and `addr_op2` at `addr_res`.
    Add {
        /// The first summand.
        addr_op1: P,
        /// The second summand.
        addr_op2: P,
        /// The sum.
        addr_res: P,
    },
}

impl<T, P> Op<T, P> {
    /// The same operation with `make` of each operand, in their order.
    pub fn map<Q>(self, marks: &mut impl Marks, mut make: impl FnMut(P) -> Q) -> Op<T, Q> {
        match self {
            Op::WriteConst { addr, value } => {
                marks.operand("addr");
                Op::WriteConst { addr: make(addr), value }
            }
            Op::Add { addr_op1, addr_op2, addr_res } => {
                marks.operand("addr_op1");
                let addr_op1 = make(addr_op1);
                marks.operand("addr_op2");
                let addr_op2 = make(addr_op2);
                marks.operand("addr_res");
                let addr_res = make(addr_res);
                Op::Add { addr_op1, addr_op2, addr_res }
            }
        }
    }
}

/// An opcode of a program; addresses count bytes from the memory's base.
///
/// A plain structure, since each look into an enumeration with data takes an interpreter longer
/// than a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opcode {
    /// Its byte on the wire ([`crate::wire`]).
    pub code: u8,
    /// Its operands, in their order; zeros behind a `WriteConst`'s only one.
    pub addresses: [u64; 3],
    /// The first byte of a `WriteConst`'s value.
    pub byte: u8,
    /// A `WriteConstU16`'s value, as it lies in memory.
    pub pair: u16,
}

/// Opcodes, and the memory's initial bytes (its size is their number).
///
/// [`decode`](crate::wire::decode) makes it.
#[derive(Clone, Copy, Debug)]
pub struct Program<'w> {
    /// The memory before the first instruction.
    pub initial: &'w [u8],
    /// What is executed, in order.
    pub opcodes: Opcodes<'w>,
}
