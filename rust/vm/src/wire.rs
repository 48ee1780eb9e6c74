//! The wire form of a program: what `harness/bytecode/wire.py` writes.
//!
//! All numbers are little-endian: the memory's size (u64), the step limit (u64), the memory's
//! initial bytes, then opcodes to the end: a byte that names the opcode, addresses (u64 each),
//! and a `WriteConst`'s value or a target (u64).

use std::marker::PhantomData;
use std::ptr::slice_from_raw_parts;

use crate::little_endian::{le, le_each};
use crate::operator::BINARY;
use crate::pointers::{FRAME_LIMIT, REGISTERS};
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
/// What follows the last opcode with two values.
const BEHIND: u8 = ADD + 4 * BINARY.len() as u8;

/// `Jump`
pub const JUMP: u8 = 0x61;
/// `Halt`
pub const HALT: u8 = 0x62;
/// `AssertU8`
pub const ASSERT: u8 = 0x65;
/// `JumpIfU8`
pub const JUMP_IF: u8 = 0x69;
/// `JumpUnlessU8`
pub const JUMP_UNLESS: u8 = 0x6d;
/// `LoadU8`
pub const LOAD: u8 = 0x71;
/// `StoreU8`
pub const STORE: u8 = 0x75;
/// `Copy`
pub const COPY: u8 = 0x79;
/// `CopyNonoverlapping`
pub const COPY_NONOVERLAPPING: u8 = 0x7a;
/// `Fill`
pub const FILL: u8 = 0x7b;
/// What follows the last opcode with a computed address and nothing else.
const BEHIND_FILL: u8 = FILL + 1;
/// `Grow`
pub const GROW: u8 = 0x81;
/// `HostRead`
pub const HOST_READ: u8 = 0x82;
/// `HostWrite`
pub const HOST_WRITE: u8 = 0x83;
/// `HostSteps`
pub const HOST_STEPS: u8 = 0x84;
/// `HostEnter`
pub const HOST_ENTER: u8 = 0x85;
/// `Return`
pub const RETURN: u8 = 0x86;
/// `Allocate`, the first on pointers
pub const ALLOCATE: u8 = 0x91;
/// `Free`
pub const FREE: u8 = 0x92;
/// `Offset`
pub const OFFSET: u8 = 0x93;
/// `MovePointer`
pub const MOVE_POINTER: u8 = 0x94;
/// `IsNull`
pub const IS_NULL: u8 = 0x95;
/// `ReadPointer`
pub const READ_POINTER: u8 = 0x96;
/// `WritePointer`
pub const WRITE_POINTER: u8 = 0x97;
/// `Point`
pub const POINT: u8 = 0x98;
/// `Call`
pub const CALL: u8 = 0x99;
/// `ReadU8`
pub const READ: u8 = 0xa1;
/// `WriteU8`
pub const WRITE: u8 = 0xa5;
/// What follows the last opcode on pointers.
const BEHIND_WRITE: u8 = WRITE + 4;

/// The width in bytes at which an opcode works.
pub const fn width(code: u8) -> usize {
    1 << ((code - 1) & 3)
}

/// The bytes of an opcode with its operands, by the byte that names it; 0 where it names none.
static LENGTHS: [u8; 256] = {
    let mut lengths = [0; 256];
    let mut code = 0;
    while code < 256 {
        lengths[code] = length(code as u8) as u8;
        code += 1;
    }
    lengths
};

const fn length(code: u8) -> usize {
    match code {
        HALT | RETURN => 1,
        WRITE_CONST..MOVE => 9 + width(code),
        JUMP | ASSERT..JUMP_IF | HOST_STEPS | FREE => 9,
        ADD..BEHIND | COPY..BEHIND_FILL | HOST_ENTER | OFFSET => 25,
        CALL => 33,
        MOVE..BEHIND_UNARY | JUMP_IF..COPY | GROW..HOST_STEPS => 17,
        ALLOCATE..CALL | READ..BEHIND_WRITE => 17,
        _ => 0,
    }
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
    /// A jump goes beyond the program's end.
    TargetOutside {
        /// Where to.
        target: u64,
    },
    /// There is no such pointer.
    RegisterOutside {
        /// Its number.
        register: u64,
    },
    /// A frame is larger than any may be.
    FrameTooLarge {
        /// Its bytes behind the argument.
        size: u64,
    },
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::Truncated => out.write_str("the program ends in the middle"),
            Malformed::UnknownOpcode { opcode, offset } => {
                write!(out, "no opcode is {opcode:#04x} (byte {offset} of the program)")
            }
            Malformed::TargetOutside { target } => {
                write!(out, "a jump goes to {target}, beyond the program's end")
            }
            Malformed::RegisterOutside { register } => {
                write!(out, "there is no pointer {register}")
            }
            Malformed::FrameTooLarge { size } => {
                write!(out, "a frame of {size} bytes is too large")
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
    let base = wire.as_ptr();
    if length < HEAD {
        return Err(Malformed::Truncated);
    }
    // SAFETY: the head is there.
    let size = le!(unsafe { (*(base as *const Head)).size });
    if size > (length - HEAD) as u64 {
        return Err(Malformed::Truncated);
    }
    // No truncation: it is less than the length of a slice.
    let mut at = HEAD + size as usize;
    // SAFETY: head and memory are there; every opcode is looked at before it is taken.
    let mut opcodes = unsafe { decode_checked(base, length, 0) }.opcodes;
    let mut count = 0;
    let mut furthest = 0;
    while at < length {
        let opcode = wire[at];
        let bytes = LENGTHS[opcode as usize] as usize;
        if bytes == 0 {
            return Err(Malformed::UnknownOpcode { opcode, offset: at });
        }
        let next = at + bytes;
        if next > length {
            return Err(Malformed::Truncated);
        }
        let found = opcodes.take();
        if opcode >= ALLOCATE {
            let [_, first, second] = found.addresses;
            if opcode == CALL && first > FRAME_LIMIT {
                return Err(Malformed::FrameTooLarge { size: first });
            }
            let first = if opcode == CALL { 0 } else { first };
            let register = if first > second { first } else { second };
            if register >= REGISTERS as u64 {
                return Err(Malformed::RegisterOutside { register });
            }
        }
        let is_target = matches!(opcode, JUMP | JUMP_IF..LOAD | HOST_ENTER | CALL);
        if is_target && found.value > furthest {
            furthest = found.value;
        }
        at = next;
        count += 1;
    }
    if furthest > count as u64 {
        return Err(Malformed::TargetOutside { target: furthest });
    }
    // SAFETY: `count` opcodes follow the memory, whose bytes are there.
    Ok(unsafe { decode_checked(base, length, count) })
}

/// As [`decode`] of the `length` bytes at `base`, without its checks, for whoever has them behind
/// them; they take an interpreter as long as the compile phase.
///
/// # Safety
///
/// The bytes can be read while the program lives; `decode` accepts them and finds `count` opcodes.
pub unsafe fn decode_checked<'w>(base: *const u8, length: usize, count: usize) -> Program<'w> {
    let head = base as *const Head;
    // SAFETY: there is one.
    let Head { size, step_limit: limit, initial: _ } = unsafe { *head };
    // SAFETY: the memory's bytes begin behind it.
    let initial = unsafe { &raw const (*head).initial as *const u8 };
    // No truncation: it is less than the length.
    let size = le!(size) as usize;
    // SAFETY: the first opcode, if there is one.
    let next = unsafe { base.add(HEAD + size) };
    // SAFETY: the end of the bytes.
    let end = unsafe { base.add(length) };
    Program {
        // SAFETY: as many follow.
        initial: unsafe { &*slice_from_raw_parts(initial, size) },
        step_limit: le!(limit),
        opcodes: Opcodes { next, end, count, wire: PhantomData },
    }
}

/// What a program begins with.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Head {
    /// The memory's size.
    size: u64,
    step_limit: u64,
    /// The memory's bytes, of which the compiler knows none.
    initial: [u8; 0],
}

/// Bytes before the memory.
const HEAD: usize = size_of::<Head>();

/// Opcodes as they stand on the wire, read one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Opcodes<'w> {
    /// The next one; from here to `end` there are well-formed opcodes without a gap.
    next: *const u8,
    end: *const u8,
    /// How many there are in all; in this crate it is looked up without a call.
    pub(crate) count: usize,
    wire: PhantomData<&'w [u8]>,
}

/// An opcode as it stands on the wire. To name its fields is no call, as to go on by so many bytes
/// is.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct On<W> {
    code: u8,
    words: W,
    behind: [u8; 0],
}

impl Opcodes<'_> {
    /// How many there are in all.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.next == self.end
    }

    /// The next one; panics if none is left.
    pub fn take(&mut self) -> Opcode {
        let at = self.next;
        assert!(at != self.end, "no opcode is left");
        // SAFETY: `decode` has seen that all of the opcode's bytes are there.
        let code = unsafe { *at };
        macro_rules! take {
            ($words:ty) => {{
                let on = at as *const On<$words>;
                // SAFETY: it is this long.
                self.next = unsafe { &raw const (*on).behind as *const u8 };
                // SAFETY: as above.
                unsafe { (*on).words }
            }};
        }
        if code >= JUMP {
            if code >= LOAD {
                let mut value = 0;
                let words = match LENGTHS[code as usize] {
                    1 => {
                        let () = take!(());
                        [0; 3]
                    }
                    9 => {
                        let first = take!(u64);
                        [le!(first), 0, 0]
                    }
                    17 => {
                        let [first, second] = take!([u64; 2]);
                        [le!(first), le!(second), 0]
                    }
                    25 => {
                        let words = take!([u64; 3]);
                        le_each!(words)
                    }
                    _ => {
                        let [first, second, third, target] = take!([u64; 4]);
                        value = le!(target);
                        [le!(first), le!(second), le!(third)]
                    }
                };
                if code >= ALLOCATE {
                    return Opcode { code, addresses: memory_first(code, words), value };
                }
                if code == HOST_ENTER {
                    let [addr_op, addr_res, target] = words;
                    return Opcode { code, addresses: [addr_op, addr_res, 0], value: target };
                }
                return Opcode { code, addresses: words, value };
            }
            if code == HALT {
                let () = take!(());
                return Opcode { code, addresses: [0; 3], value: 0 };
            }
            if code >= JUMP_IF {
                let [addr, target] = take!([u64; 2]);
                return Opcode { code, addresses: [le!(addr), 0, 0], value: le!(target) };
            }
            let word = take!(u64);
            let (addr, target) = if code == JUMP { (0, le!(word)) } else { (le!(word), 0) };
            return Opcode { code, addresses: [addr, 0, 0], value: target };
        }
        if code >= ADD {
            let words = take!([u64; 3]);
            return Opcode { code, addresses: le_each!(words), value: 0 };
        }
        if code >= MOVE {
            let [op, res] = take!([u64; 2]);
            return Opcode { code, addresses: [le!(op), le!(res), 0], value: 0 };
        }
        macro_rules! constant {
            ($value:ty) => {{
                let Constant { addr, value } = take!(Constant<$value>);
                (le!(addr), le!(value) as u64)
            }};
        }
        // The value has the opcode's width.
        let (addr, value) = match code & 3 {
            1 => constant!(u8),
            2 => constant!(u16),
            3 => constant!(u32),
            _ => constant!(u64),
        };
        Opcode { code, addresses: [addr, 0, 0], value }
    }
}

/// The words of a `WriteConst`.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Constant<T> {
    addr: u64,
    value: T,
}

/// The words of an opcode on pointers: its memory operand first, if it has one, then its registers.
fn memory_first(code: u8, [first, second, third]: [u64; 3]) -> [u64; 3] {
    match code {
        FREE => [0, first, 0],
        OFFSET => [second, first, third],
        MOVE_POINTER | READ_POINTER | WRITE_POINTER => [0, first, second],
        IS_NULL | READ..WRITE => [second, first, 0],
        _ => [first, second, third],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of opcode at some widths, over the memory `aa bb`.
    fn some_opcodes() -> Vec<u8> {
        let mut wire = vec![2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb];
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
        wire.extend([0x61, 1, 0, 0, 0, 0, 0, 0, 0]);
        wire.push(0x62);
        wire.extend([0x68, 6, 0, 0, 0, 0, 0, 0, 0]);
        wire.extend([0x69, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        wire.extend([0x72, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        wire.push(0x7b);
        for addr in [3, 4, u64::MAX] {
            wire.extend(u64::to_le_bytes(addr));
        }
        wire.extend([0x81, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        wire.extend([0x84, 3, 0, 0, 0, 0, 0, 0, 0]);
        wire.extend([0x85, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        wire.extend([0; 8]);
        wire.push(0x86);
        wire
    }

    #[test]
    fn opcodes_are_decoded() {
        let wire = some_opcodes();
        let mut program = decode(&wire).expect("well-formed");
        assert_eq!(program.initial, [0xaa, 0xbb]);
        assert_eq!(program.step_limit, 9);
        let three = [3, 4, u64::MAX];
        let opcodes = [
            Opcode { code: 0x01, addresses: [1, 0, 0], value: 0xc1 },
            Opcode { code: 0x02, addresses: [0x102, 0, 0], value: 0x1234 },
            Opcode { code: 0x04, addresses: [0, 0, 0], value: 0x0102_0304_0506_0708 },
            Opcode { code: 0x0b, addresses: [9, 8, 0], value: 0 },
            Opcode { code: 0x11, addresses: three, value: 0 },
            Opcode { code: 0x5c, addresses: three, value: 0 },
            Opcode { code: 0x61, addresses: [0; 3], value: 1 },
            Opcode { code: 0x62, addresses: [0; 3], value: 0 },
            Opcode { code: 0x68, addresses: [6, 0, 0], value: 0 },
            Opcode { code: 0x69, addresses: [7, 0, 0], value: 0 },
            Opcode { code: 0x72, addresses: [3, 4, 0], value: 0 },
            Opcode { code: 0x7b, addresses: three, value: 0 },
            Opcode { code: 0x81, addresses: [3, 4, 0], value: 0 },
            Opcode { code: 0x84, addresses: [3, 0, 0], value: 0 },
            Opcode { code: 0x85, addresses: [3, 4, 0], value: 0 },
            Opcode { code: 0x86, addresses: [0; 3], value: 0 },
        ];
        assert_eq!(program.opcodes.len(), opcodes.len());
        for opcode in opcodes {
            assert_eq!(program.opcodes.take(), opcode);
        }
        assert!(program.opcodes.is_empty());
    }

    #[test]
    fn what_has_been_checked_is_decoded_alike() {
        let wire = some_opcodes();
        let mut checked = decode(&wire).expect("well-formed");
        // SAFETY: it has just been decoded.
        let mut trusted =
            unsafe { decode_checked(wire.as_ptr(), wire.len(), checked.opcodes.len()) };
        assert_eq!((checked.initial, checked.step_limit), (trusted.initial, trusted.step_limit));
        while !checked.opcodes.is_empty() {
            assert_eq!(checked.opcodes.take(), trusted.opcodes.take());
        }
        assert!(trusted.opcodes.is_empty());
    }

    #[test]
    fn a_program_may_be_empty_and_its_memory_too() {
        let program = decode(&[0; 16]).expect("well-formed");
        assert!(program.initial.is_empty() && program.opcodes.is_empty());
    }

    #[test]
    fn every_cut_is_noticed() {
        let wire = some_opcodes();
        let whole = [18, 28, 39, 56, 73, 98, 123, 132, 133, 142, 159, 176, 201, 218, 227, 252, 253];
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
        assert_eq!(decode(&[0xff; 32]).err(), Some(Malformed::Truncated));
    }

    /// A program of one opcode with these words.
    fn of_words(opcode: u8, words: &[u64]) -> Vec<u8> {
        let mut wire = vec![0; 16];
        wire.push(opcode);
        for word in words {
            wire.extend(word.to_le_bytes());
        }
        wire
    }

    #[test]
    fn opcodes_on_pointers_have_their_memory_operand_first() {
        let cases: [(u8, &[u64], [u64; 3], u64); 7] = [
            (ALLOCATE, &[20, 1], [20, 1, 0], 0),
            (FREE, &[1], [0, 1, 0], 0),
            (OFFSET, &[1, 20, 2], [20, 1, 2], 0),
            (WRITE_POINTER, &[1, 2], [0, 1, 2], 0),
            (CALL, &[20, FRAME_LIMIT, 2, 1], [20, FRAME_LIMIT, 2], 1),
            (READ + 3, &[15, 20], [20, 15, 0], 0),
            (WRITE + 3, &[20, 15], [20, 15, 0], 0),
        ];
        for (code, words, addresses, value) in cases {
            let wire = of_words(code, words);
            let mut program = decode(&wire).expect("well-formed");
            assert_eq!(program.opcodes.take(), Opcode { code, addresses, value });
            let cut = decode(&wire[..wire.len() - 1]).err();
            assert_eq!(cut, Some(Malformed::Truncated));
        }
    }

    #[test]
    fn there_are_sixteen_pointers_and_frames_are_small() {
        let register = 16;
        let outside = Some(Malformed::RegisterOutside { register });
        for (code, words) in [
            (ALLOCATE, &[0, 16][..]),
            (FREE, &[16]),
            (OFFSET, &[16, 0, 0]),
            (OFFSET, &[0, 0, 16]),
            (WRITE_POINTER, &[16, 0]),
            (CALL, &[0, 0, 16, 0]),
            (WRITE, &[0, 16]),
        ] {
            assert_eq!(decode(&of_words(code, words)).err(), outside);
        }
        let size = FRAME_LIMIT + 1;
        let too_large = Some(Malformed::FrameTooLarge { size });
        assert_eq!(decode(&of_words(CALL, &[0, size, 0, 0])).err(), too_large);
    }

    #[test]
    fn a_target_beyond_the_end_is_refused() {
        for (target, outside) in [(0, false), (1, false), (2, true), (u64::MAX, true)] {
            let mut wire = vec![0; 16];
            wire.push(JUMP);
            wire.extend(target.to_le_bytes());
            let malformed = outside.then_some(Malformed::TargetOutside { target });
            assert_eq!(decode(&wire).err(), malformed);
        }
    }

    #[test]
    fn every_other_byte_is_no_opcode() {
        for opcode in 0..=255 {
            let mut wire = vec![0; 16];
            wire.push(opcode);
            wire.extend([0; 24]);
            let known = [0x01..=0x0c, 0x11..=0x5c, 0x61..=0x62, 0x65..=0x7b, 0x81..=0x86];
            let on_pointers = [0x91..=0x99, 0xa1..=0xa8];
            if known.iter().chain(&on_pointers).any(|range| range.contains(&opcode)) {
                continue;
            }
            let malformed = Malformed::UnknownOpcode { opcode, offset: 16 };
            assert_eq!(decode(&wire).err(), Some(malformed));
        }
    }
}
