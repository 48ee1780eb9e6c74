//! Bytecode programs: values, opcodes, and the memory's initial bytes.

use crate::marks::{ADDR, ADDR_OP, ADDR_OP1, ADDR_OP2, ADDR_RES, Marks, Name};
use crate::operator::{Binary, Unary, Undivided};
use crate::wire::Opcodes;

/// An unsigned integer of the VM. In memory its bytes lie in the target's own order, so that a
/// variant may read and write it as it stands, whole or byte by byte.
pub trait Value: Copy + 'static {
    /// Bytes in memory, and the alignment that an address must have.
    const SIZE: usize;

    /// One `B` for each byte, that of the lowest address first.
    type Bytes<B: Copy>: Copy;

    /// One `B` for each byte, made from the byte's distance to the lowest address.
    fn each<B: Copy>(byte: impl FnMut(usize) -> B) -> Self::Bytes<B>;

    /// One `B` for each byte, made of what there is for it.
    fn map<A: Copy, B: Copy>(bytes: Self::Bytes<A>, byte: impl FnMut(A) -> B) -> Self::Bytes<B>;

    /// Does something with what there is on both sides, byte by byte.
    fn zip<A: Copy, B: Copy>(left: Self::Bytes<A>, right: Self::Bytes<B>, byte: impl FnMut(A, B));

    /// The value that lies in memory as `bytes`.
    fn from_bytes(bytes: Self::Bytes<u8>) -> Self;

    /// The bytes as which the value lies in memory.
    fn to_bytes(self) -> Self::Bytes<u8>;

    /// The low bits of a number.
    fn of(number: u64) -> Self;

    /// Whether every bit is zero.
    fn is_zero(self) -> bool;

    /// What `operator` makes of the value.
    fn unary(self, operator: Unary) -> Self;

    /// What `operator` makes of this value and, second, the other.
    fn binary(self, operator: Binary, other: Self) -> Result<Self, Undivided>;
}

// Without loops, of which an interpreter takes a turn as long as for an addition of the program.
macro_rules! value {
    ($unsigned:ty, $signed:ty, [$($at:tt)*]) => {
        impl Value for $unsigned {
            const SIZE: usize = size_of::<$unsigned>();
            type Bytes<B: Copy> = [B; size_of::<$unsigned>()];

            fn each<B: Copy>(mut byte: impl FnMut(usize) -> B) -> Self::Bytes<B> {
                [$(byte($at)),*]
            }

            fn map<A: Copy, B: Copy>(
                bytes: Self::Bytes<A>,
                mut byte: impl FnMut(A) -> B,
            ) -> Self::Bytes<B> {
                [$(byte(bytes[$at])),*]
            }

            fn zip<A: Copy, B: Copy>(
                left: Self::Bytes<A>,
                right: Self::Bytes<B>,
                mut byte: impl FnMut(A, B),
            ) {
                $(byte(left[$at], right[$at]);)*
            }

            fn from_bytes(bytes: Self::Bytes<u8>) -> Self {
                <$unsigned>::from_ne_bytes(bytes)
            }

            fn to_bytes(self) -> Self::Bytes<u8> {
                self.to_ne_bytes()
            }

            fn of(number: u64) -> Self {
                number as $unsigned
            }

            fn is_zero(self) -> bool {
                self == 0
            }

            fn unary(self, operator: Unary) -> Self {
                match operator {
                    Unary::Move => self,
                    Unary::Not => !self,
                }
            }

            fn binary(self, operator: Binary, other: Self) -> Result<Self, Undivided> {
                let (left, right) = (self, other);
                let (signed_left, signed_right) = (left as $signed, right as $signed);
                Ok(match operator {
                    Binary::Add => left.wrapping_add(right),
                    Binary::Sub => left.wrapping_sub(right),
                    Binary::Mul => left.wrapping_mul(right),
                    Binary::Div | Binary::Rem | Binary::Sdiv | Binary::Srem if right == 0 => {
                        return Err(Undivided::ByZero);
                    }
                    Binary::Sdiv | Binary::Srem
                        if signed_left == <$signed>::MIN && signed_right == -1 =>
                    {
                        return Err(Undivided::Overflow);
                    }
                    Binary::Div => left / right,
                    Binary::Rem => left % right,
                    Binary::Sdiv => (signed_left / signed_right) as $unsigned,
                    Binary::Srem => (signed_left % signed_right) as $unsigned,
                    Binary::And => left & right,
                    Binary::Or => left | right,
                    Binary::Xor => left ^ right,
                    Binary::Shl => left << (right % <$unsigned>::BITS as $unsigned),
                    Binary::Shr => left >> (right % <$unsigned>::BITS as $unsigned),
                    Binary::Sar => {
                        (signed_left >> (right % <$unsigned>::BITS as $unsigned)) as $unsigned
                    }
                    Binary::Eq => (left == right) as $unsigned,
                    Binary::Ne => (left != right) as $unsigned,
                    Binary::Lt => (left < right) as $unsigned,
                    Binary::Le => (left <= right) as $unsigned,
                    Binary::Slt => (signed_left < signed_right) as $unsigned,
                    Binary::Sle => (signed_left <= signed_right) as $unsigned,
                })
            }
        }
    };
}

value!(u8, i8, [0]);
value!(u16, i16, [0 1]);
value!(u32, i32, [0 1 2 3]);
value!(u64, i64, [0 1 2 3 4 5 6 7]);

/// An operation at one width: `T` is the type of its values, `P` what stands for an operand.
///
/// `P` is an address in a program, and whatever a variant makes of it once it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<T, P> {
    /// Store `value` at `addr`.
    WriteConst {
        /// Where to.
        addr: P,
        /// What.
        value: T,
    },
    /// Store what `operator` makes of the value at `addr_op` at `addr_res`.
    Unary {
        /// What is made of it.
        operator: Unary,
        /// The value.
        addr_op: P,
        /// The result.
        addr_res: P,
    },
    /// Store what `operator` makes of the values at `addr_op1` and `addr_op2` at `addr_res`.
    Binary {
        /// What is made of them.
        operator: Binary,
        /// The first value.
        addr_op1: P,
        /// The second value.
        addr_op2: P,
        /// The result.
        addr_res: P,
    },
    /// Go on with `target` if the value at `addr` is zero, or if it is not.
    Branch {
        /// Whether it is zero that branches.
        on_zero: bool,
        /// The value.
        addr: P,
        /// An instruction's index.
        target: usize,
    },
    /// Trap if the value at `addr` is zero.
    Assert {
        /// The value.
        addr: P,
    },
    /// Go on with an instruction, by its index.
    Jump {
        /// The index.
        target: usize,
    },
    /// End the program.
    Halt,
    /// Nothing but an operand: one of an instruction whose operands differ in width, or one
    /// whose address the program has computed.
    Operand {
        /// What it is called.
        name: &'static Name,
        /// Where it is.
        addr: P,
    },
}

// Only of what is `Copy`: an interpreter keeps account of everything else, whether it is still to
// be dropped.
impl<T: Copy, P: Copy> Op<T, P> {
    /// The same operation with `make` of each operand, in their order.
    pub fn map<Q: Copy, M: Marks>(self, marks: &mut M, mut make: impl FnMut(P) -> Q) -> Op<T, Q> {
        macro_rules! mark {
            ($name:expr) => {
                if M::LISTENS {
                    marks.operand($name);
                }
            };
        }
        match self {
            Op::WriteConst { addr, value } => {
                mark!(ADDR);
                Op::WriteConst { addr: make(addr), value }
            }
            Op::Unary { operator, addr_op, addr_res } => {
                mark!(ADDR_OP);
                let addr_op = make(addr_op);
                mark!(ADDR_RES);
                let addr_res = make(addr_res);
                Op::Unary { operator, addr_op, addr_res }
            }
            Op::Binary { operator, addr_op1, addr_op2, addr_res } => {
                mark!(ADDR_OP1);
                let addr_op1 = make(addr_op1);
                mark!(ADDR_OP2);
                let addr_op2 = make(addr_op2);
                mark!(ADDR_RES);
                let addr_res = make(addr_res);
                Op::Binary { operator, addr_op1, addr_op2, addr_res }
            }
            Op::Branch { on_zero, addr, target } => {
                mark!(ADDR);
                Op::Branch { on_zero, addr: make(addr), target }
            }
            Op::Assert { addr } => {
                mark!(ADDR);
                Op::Assert { addr: make(addr) }
            }
            Op::Jump { target } => Op::Jump { target },
            Op::Halt => Op::Halt,
            Op::Operand { name, addr } => {
                mark!(name);
                Op::Operand { name, addr: make(addr) }
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
    /// Its operands, in their order, and zeros behind the last; of one on pointers the operand in
    /// the memory, then a frame's size, then registers.
    pub addresses: [u64; 3],
    /// A `WriteConst`'s value, or a target.
    pub value: u64,
}

/// Opcodes, and the memory's initial bytes (its size is their number).
///
/// [`decode`](crate::wire::decode) makes it.
#[derive(Clone, Copy, Debug)]
pub struct Program<'w> {
    /// The memory before the first instruction.
    pub initial: &'w [u8],
    /// How many instructions may be executed.
    pub step_limit: u64,
    /// What is executed, in order.
    pub opcodes: Opcodes<'w>,
}
