//! From opcodes to one function of Pulley: all values in registers, all addresses over one base.

use harness_vm::operator::{BINARY, Binary};
use harness_vm::program::Opcode;
use harness_vm::wire::{ADD, ASSERT, HALT, JUMP, JUMP_IF, JUMP_UNLESS, MOVE, NOT, WRITE_CONST};
use pulley_interpreter::encode;
use pulley_interpreter::regs::{AddrO32, BinaryOperands, XReg};

use crate::width;

/// What follows the last opcode of each kind.
const BEHIND_UNARY: u8 = NOT + 4;
const BEHIND_BINARY: u8 = ADD + 4 * BINARY.len() as u8;
const BEHIND_BRANCH: u8 = JUMP_UNLESS + 4;

/// The memory's base, the function's only argument.
const BASE: XReg = XReg::x0;
/// How many instructions have been executed.
pub const STEPS: XReg = XReg::x1;
/// How many may be.
const LIMIT: XReg = XReg::x2;
/// The instruction that is marked, or that the function stopped at.
pub const AT: XReg = XReg::x3;
/// Why the function returned.
pub const END: XReg = XReg::x4;
const LEFT: XReg = XReg::x5;
const RIGHT: XReg = XReg::x6;
const SPARE: XReg = XReg::x7;

/// [`END`]: behind the last instruction.
pub const RAN: u64 = 0;
/// [`END`]: as many instructions have been executed as may be.
pub const STEP_LIMIT: u64 = 1;
/// [`END`]: a division by zero.
pub const BY_ZERO: u64 = 2;
/// [`END`]: a quotient that does not fit.
pub const OVERFLOW: u64 = 3;
/// [`END`]: an assertion of zero.
pub const FAILED: u64 = 4;

/// Where a jump goes.
#[derive(Clone, Copy)]
enum Target {
    /// An instruction, or the end.
    Instruction(usize),
    /// The piece that returns with this reason at this instruction.
    Stop { at: usize, why: u64 },
}

/// A jump whose offset is still to be written: where it begins, and where it ends.
struct Jump {
    begin: usize,
    end: usize,
    target: Target,
}

struct Function {
    code: Vec<u8>,
    jumps: Vec<Jump>,
}

/// The function that does what the opcodes do; their addresses have been checked.
///
/// marked: it calls the host before each instruction.
///
/// Panics at an opcode that it does not know; whoever calls has asked before.
pub fn translate(opcodes: &[Opcode], step_limit: u64, marked: bool) -> Vec<u8> {
    let mut function = Function { code: Vec::new(), jumps: Vec::new() };
    let mut begins = Vec::with_capacity(opcodes.len() + 1);
    encode::xzero(&mut function.code, STEPS);
    encode::xconst64(&mut function.code, LIMIT, step_limit as i64);
    for (at, opcode) in opcodes.iter().enumerate() {
        begins.push(function.code.len());
        function.jump(Target::Stop { at, why: STEP_LIMIT }, |code| {
            encode::br_if_xeq64(code, STEPS, LIMIT, 0);
        });
        encode::xadd64_u8(&mut function.code, STEPS, STEPS, 1);
        if marked {
            encode::xconst64(&mut function.code, AT, at as i64);
            encode::call_indirect_host(&mut function.code, 0);
        }
        function.instruction(*opcode, at, opcodes.len());
    }
    begins.push(function.code.len());
    encode::xconst64(&mut function.code, END, RAN as i64);
    encode::ret(&mut function.code);
    function.finish(&begins)
}

impl Function {
    fn instruction(&mut self, opcode: Opcode, at: usize, count: usize) {
        let [first, second, third] = opcode.addresses;
        let bytes = width(opcode.code);
        match opcode.code {
            JUMP => self.jump(Target::Instruction(opcode.value as usize), |code| {
                encode::jump(code, 0);
            }),
            HALT => self.jump(Target::Instruction(count), |code| encode::jump(code, 0)),
            ASSERT..JUMP_IF => {
                self.load(LEFT, first, bytes);
                self.jump(Target::Stop { at, why: FAILED }, |code| {
                    encode::br_if_xeq64_i8(code, LEFT, 0, 0);
                });
            }
            JUMP_IF..BEHIND_BRANCH => {
                self.load(LEFT, first, bytes);
                self.jump(Target::Instruction(opcode.value as usize), |code| {
                    if opcode.code >= JUMP_UNLESS {
                        encode::br_if_xeq64_i8(code, LEFT, 0, 0);
                    } else {
                        encode::br_if_xneq64_i8(code, LEFT, 0, 0);
                    }
                });
            }
            ADD..BEHIND_BINARY => {
                self.load(LEFT, first, bytes);
                self.load(RIGHT, second, bytes);
                self.binary(BINARY[((opcode.code - ADD) / 4) as usize], bytes, at);
                self.store(third, bytes);
            }
            MOVE..BEHIND_UNARY => {
                self.load(LEFT, first, bytes);
                if opcode.code >= NOT {
                    encode::xbnot64(&mut self.code, LEFT, LEFT);
                }
                self.store(second, bytes);
            }
            WRITE_CONST..MOVE => {
                encode::xconst64(&mut self.code, LEFT, opcode.value as i64);
                self.store(first, bytes);
            }
            code => panic!("pulley cannot express opcode {code:#04x}, instruction {at}"),
        }
    }

    /// Leaves in `LEFT` what the operator makes of `LEFT` and `RIGHT`, whose upper bits are zero.
    fn binary(&mut self, operator: Binary, bytes: u8, at: usize) {
        use Binary::{Div, Rem, Sar, Sdiv, Sle, Slt, Srem};
        if matches!(operator, Sdiv | Srem | Slt | Sle | Sar) {
            self.sign_extend(LEFT, bytes);
        }
        if matches!(operator, Sdiv | Srem | Slt | Sle) {
            self.sign_extend(RIGHT, bytes);
        }
        if matches!(operator, Div | Rem | Sdiv | Srem) {
            self.jump(Target::Stop { at, why: BY_ZERO }, |code| {
                encode::br_if_xeq64_i8(code, RIGHT, 0, 0);
            });
        }
        if matches!(operator, Sdiv | Srem) {
            self.check_quotient(bytes, at);
        }
        if matches!(operator, Binary::Shl | Binary::Shr | Sar) {
            encode::xband64_s8(&mut self.code, RIGHT, RIGHT, (8 * bytes - 1) as i8);
        }
        let code = &mut self.code;
        let operands = BinaryOperands::<XReg>::new(LEFT, LEFT, RIGHT);
        // A comparison leaves the upper half of its register.
        let compared = BinaryOperands::<XReg>::new(SPARE, LEFT, RIGHT);
        match operator {
            Binary::Add => encode::xadd64(code, operands),
            Binary::Sub => encode::xsub64(code, operands),
            Binary::Mul => encode::xmul64(code, operands),
            Binary::Div => encode::xdiv64_u(code, operands),
            Binary::Rem => encode::xrem64_u(code, operands),
            Binary::Sdiv => encode::xdiv64_s(code, operands),
            Binary::Srem => encode::xrem64_s(code, operands),
            Binary::And => encode::xband64(code, operands),
            Binary::Or => encode::xbor64(code, operands),
            Binary::Xor => encode::xbxor64(code, operands),
            Binary::Shl => encode::xshl64(code, operands),
            Binary::Shr => encode::xshr64_u(code, operands),
            Binary::Sar => encode::xshr64_s(code, operands),
            Binary::Eq => encode::xeq64(code, compared),
            Binary::Ne => encode::xneq64(code, compared),
            Binary::Lt => encode::xult64(code, compared),
            Binary::Le => encode::xulteq64(code, compared),
            Binary::Slt => encode::xslt64(code, compared),
            Binary::Sle => encode::xslteq64(code, compared),
        }
        if matches!(
            operator,
            Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Slt | Binary::Sle
        ) {
            encode::zext32(code, LEFT, SPARE);
        }
    }

    /// Stops where `LEFT` is the lowest number of the width, and `RIGHT` is -1.
    fn check_quotient(&mut self, bytes: u8, at: usize) {
        let lowest = i64::MIN >> (64 - 8 * u32::from(bytes));
        encode::xconst64(&mut self.code, SPARE, lowest);
        let begin = self.code.len();
        encode::br_if_xneq64_i8(&mut self.code, RIGHT, -1, 0);
        let end = self.code.len();
        self.jump(Target::Stop { at, why: OVERFLOW }, |code| {
            encode::br_if_xeq64(code, LEFT, SPARE, 0);
        });
        let here = self.code.len();
        self.write_offset(begin, end, here);
    }

    fn sign_extend(&mut self, register: XReg, bytes: u8) {
        match bytes {
            1 => encode::sext8(&mut self.code, register, register),
            2 => encode::sext16(&mut self.code, register, register),
            4 => encode::sext32(&mut self.code, register, register),
            _ => {}
        }
    }

    /// Loads a value, with zeros above it.
    fn load(&mut self, into: XReg, address: u64, bytes: u8) {
        let from = place(address);
        let code = &mut self.code;
        match bytes {
            1 => encode::xload8_u32_o32(code, into, from),
            2 => encode::xload16le_u32_o32(code, into, from),
            4 => encode::xload32le_o32(code, into, from),
            _ => encode::xload64le_o32(code, into, from),
        }
        if bytes < 8 {
            encode::zext32(code, into, into);
        }
    }

    /// Stores the low bytes of `LEFT`.
    fn store(&mut self, address: u64, bytes: u8) {
        let to = place(address);
        let code = &mut self.code;
        match bytes {
            1 => encode::xstore8_o32(code, to, LEFT),
            2 => encode::xstore16le_o32(code, to, LEFT),
            4 => encode::xstore32le_o32(code, to, LEFT),
            _ => encode::xstore64le_o32(code, to, LEFT),
        }
    }

    /// Writes a jump, whose offset is its last operand.
    fn jump(&mut self, target: Target, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.code.len();
        write(&mut self.code);
        self.jumps.push(Jump { begin, end: self.code.len(), target });
    }

    /// Adds the pieces that stop, and writes all offsets.
    fn finish(mut self, begins: &[usize]) -> Vec<u8> {
        for Jump { begin, end, target } in std::mem::take(&mut self.jumps) {
            let to = match target {
                Target::Instruction(index) => begins[index],
                Target::Stop { at, why } => {
                    let here = self.code.len();
                    encode::xconst64(&mut self.code, AT, at as i64);
                    encode::xconst64(&mut self.code, END, why as i64);
                    encode::ret(&mut self.code);
                    here
                }
            };
            self.write_offset(begin, end, to);
        }
        self.code
    }

    /// An offset counts from where the jump begins.
    fn write_offset(&mut self, begin: usize, end: usize, to: usize) {
        let offset = to as i64 - begin as i64;
        let offset = i32::try_from(offset).expect("a program has some thousand instructions");
        self.code[end - 4..end].copy_from_slice(&offset.to_le_bytes());
    }
}

fn place(address: u64) -> AddrO32 {
    let offset = i32::try_from(address).expect("a memory has a mebibyte at most");
    AddrO32 { addr: BASE, offset }
}
