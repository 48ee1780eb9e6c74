//! Every variant computes what the opcodes say, wherever it has a meaning to rely on.
//!
//! These tests hold under Miri too, in every mode (but that `exposed` and `vm-ptr` need
//! permissive provenance), so programs that a variant is undefined for are not among them.

use harness_vm::outcome::{Trap, TrapKind};
use harness_vm::variants::{find, find_by_id};
use harness_vm::{Finished, Marks, Op, Outcome, VARIANTS, Value, Variant, entry, run};

/// A program's wire form, built opcode by opcode.
struct Wire(Vec<u8>);

impl Wire {
    fn over(memory: &[u8]) -> Wire {
        let mut bytes = (memory.len() as u64).to_le_bytes().to_vec();
        bytes.extend(100_u64.to_le_bytes());
        bytes.extend(memory);
        Wire(bytes)
    }

    fn opcode(mut self, opcode: u8, addresses: &[u64], value: &[u8]) -> Wire {
        self.0.push(opcode);
        for address in addresses {
            self.0.extend(address.to_le_bytes());
        }
        self.0.extend(value);
        self
    }

    fn write_u8(self, addr: u64, value: u8) -> Wire {
        self.opcode(0x01, &[addr], &[value])
    }

    fn write_u16(self, addr: u64, value: u16) -> Wire {
        self.opcode(0x02, &[addr], &value.to_le_bytes())
    }

    fn add_u8(self, op1: u64, op2: u64, res: u64) -> Wire {
        self.opcode(0x11, &[op1, op2, res], &[])
    }

    fn add_u16(self, op1: u64, op2: u64, res: u64) -> Wire {
        self.opcode(0x12, &[op1, op2, res], &[])
    }

    fn run(&self, variant: &str) -> Finished {
        let variant = find(VARIANTS, variant.as_bytes()).expect("in the table");
        // SAFETY: every test runs only programs for which its variants are defined.
        unsafe { run(variant, &self.0, false) }.expect("well-formed")
    }

    fn gives(&self, variant: &str, steps: u64, memory: &[u8]) {
        let finished = Finished { outcome: Outcome::Ran { steps }, memory: memory.to_vec() };
        assert_eq!(self.run(variant), finished, "{variant}");
    }

    /// Traps in every variant, the undefined ones included: no instruction runs.
    fn traps(&self, kind: TrapKind, instruction: usize, operand: &'static str, memory: &[u8]) {
        for variant in VARIANTS {
            let outcome = Outcome::Trapped(Trap { kind, instruction, operand });
            let finished = Finished { outcome, memory: memory.to_vec() };
            assert_eq!(self.run(variant.name), finished, "{}", variant.name);
        }
    }
}

#[test]
fn names_are_unique() {
    for (index, entry) in VARIANTS.iter().enumerate() {
        assert!(VARIANTS[..index].iter().all(|other| other.name != entry.name), "{}", entry.name);
        assert!(VARIANTS[..index].iter().all(|other| other.id != entry.id), "{}", entry.name);
        assert_eq!(find_by_id(VARIANTS, entry.id).map(|found| found.name), Some(entry.name));
    }
}

/// Programs that are defined for every sound variant, whatever their operands' aliasing.
fn computes(variant: &str) {
    let of_the_thread = Wire::over(&[0; 10])
        .write_u16(2, 2)
        .write_u16(4, 40)
        .add_u16(2, 4, 6)
        .add_u16(2, 4, 6)
        .add_u16(6, 8, 0);
    of_the_thread.gives(variant, 5, &[42, 0, 2, 0, 40, 0, 42, 0, 0, 0]);

    let little_endian_and_wrapping = Wire::over(&[0xff, 0xff, 0x34, 0x12, 0xff, 2])
        .add_u16(0, 2, 0)
        .add_u8(4, 5, 4)
        .write_u16(2, 0xabcd);
    little_endian_and_wrapping.gives(variant, 3, &[0x33, 0x12, 0xcd, 0xab, 1, 2]);

    let wide = Wire::over(&[0; 40])
        .opcode(0x04, &[0], &(-7_i64).to_le_bytes())
        .opcode(0x04, &[8], &2_u64.to_le_bytes())
        .opcode(0x28, &[0, 8, 16], &[])
        .opcode(0x3a, &[8, 8, 24], &[])
        .opcode(0x08, &[16, 32], &[])
        .opcode(0x0b, &[24, 28], &[]);
    let mut memory = [(-7_i64), 2, -3, 0, -3].map(i64::to_le_bytes).concat();
    memory[24] = 8;
    memory[28..32].copy_from_slice(&(!8_u32).to_le_bytes());
    wide.gives(variant, 6, &memory);

    // The sum of the numbers from 5 down to 1, by a loop.
    let loops = Wire::over(&[5, 1, 0])
        .add_u8(2, 0, 2)
        .opcode(0x15, &[0, 1, 0], &[])
        .opcode(0x69, &[0, 0], &[])
        .opcode(0x65, &[2], &[])
        .opcode(0x6d, &[0, 6], &[])
        .write_u8(0, 9)
        .opcode(0x62, &[], &[])
        .write_u8(0, 9);
    loops.gives(variant, 18, &[0, 1, 15]);

    let endless = Wire::over(&[0]).opcode(0x61, &[0], &[]);
    let trap = Trap { kind: TrapKind::StepLimit, instruction: 0, operand: "step" };
    let finished = Finished { outcome: Outcome::Trapped(trap), memory: vec![0] };
    assert_eq!(endless.run(variant), finished);

    let undivided =
        Wire::over(&[6, 0, 5]).opcode(0x11, &[0, 2, 2], &[]).opcode(0x1d, &[0, 1, 2], &[]);
    let trap = Trap { kind: TrapKind::DivisionByZero, instruction: 1, operand: "addr_op2" };
    let finished = Finished { outcome: Outcome::Trapped(trap), memory: vec![6, 0, 11] };
    assert_eq!(undivided.run(variant), finished);

    // Four values to the addresses 0 to 24, then two of four bytes each.
    let words = |words: [u64; 4]| [words.map(u64::to_le_bytes).concat(), vec![1; 4]].concat();
    let by_address = Wire::over(&words([34, 2, 33, 0]))
        .opcode(0x72, &[0, 24], &[])
        .opcode(0x75, &[0, 16], &[])
        .opcode(0x79, &[0, 8, 16], &[])
        .opcode(0x7b, &[8, 8, 0], &[]);
    let mut memory = words([34, 2, 33, 0x0101]);
    memory[32..].copy_from_slice(&[1, 1, 2, 2]);
    by_address.gives(variant, 4, &memory);

    let grows = Wire::over(&words([2, 0, 35, 36]))
        .opcode(0x81, &[0, 8], &[])
        .opcode(0x83, &[32, 8], &[])
        .opcode(0x82, &[8, 33], &[])
        .opcode(0x01, &[34], &[9]);
    let mut memory = words([2, 36, 35, 36]);
    memory[34] = 9;
    memory.extend([1, 0]);
    grows.gives(variant, 4, &memory);

    let enters = Wire::over(&words([34, 0, 0, 0]))
        .opcode(0x85, &[0, 32, 2], &[])
        .opcode(0x86, &[], &[])
        .opcode(0x84, &[8], &[])
        .opcode(0x01, &[34], &[7])
        .opcode(0x86, &[], &[]);
    let mut memory = words([34, 2, 0, 0]);
    memory[32] = 7;
    memory[34] = 7;
    enters.gives(variant, 5, &memory);

    let endless = Wire::over(&words([0, 0, 0, 0])).opcode(0x85, &[0, 32, 0], &[]);
    let trap = Trap { kind: TrapKind::CallDepth, instruction: 0, operand: "target" };
    let finished = Finished { outcome: Outcome::Trapped(trap), memory: words([0, 0, 0, 0]) };
    assert_eq!(endless.run(variant), finished);

    let overlaps = Wire::over(&words([32, 3, 33, 0])).opcode(0x7a, &[0, 8, 16], &[]);
    let trap = Trap { kind: TrapKind::Overlap, instruction: 0, operand: "at_res" };
    let finished = Finished { outcome: Outcome::Trapped(trap), memory: words([32, 3, 33, 0]) };
    assert_eq!(overlaps.run(variant), finished);

    let beyond = Wire::over(&words([35, 0, 0, 0])).opcode(0x73, &[0, 24], &[]);
    let trap = Trap { kind: TrapKind::OutOfBounds, instruction: 0, operand: "at_op" };
    let finished = Finished { outcome: Outcome::Trapped(trap), memory: words([35, 0, 0, 0]) };
    assert_eq!(beyond.run(variant), finished);

    let aliasing =
        Wire::over(&[1, 2, 3, 4]).add_u8(0, 0, 0).add_u16(0, 0, 0).add_u8(1, 1, 3).add_u16(2, 0, 2);
    aliasing.gives(variant, 4, &[4, 4, 7, 12]);
}

#[test]
fn raw() {
    computes("raw");
}

#[test]
fn slice_ptr() {
    computes("slice-ptr");
}

#[test]
fn wrapped() {
    computes("wrapped");
}

#[test]
fn cell() {
    computes("cell");
}

#[test]
fn cell_slice() {
    computes("cell-slice");
}

#[test]
fn exposed() {
    computes("exposed");
}

#[test]
fn index() {
    computes("index");
}

#[test]
fn non_null() {
    computes("non-null");
}

#[test]
fn with_addr() {
    computes("with-addr");
}

#[test]
fn atomic() {
    computes("atomic");
}

#[test]
fn unsafe_cell() {
    computes("unsafe-cell");
}

#[test]
fn vm_ptr() {
    computes("vm-ptr");
}

#[test]
fn every_variant_runs_nothing_over_nothing() {
    for variant in VARIANTS {
        Wire::over(&[]).gives(variant.name, 0, &[]);
        Wire::over(&[5, 6]).gives(variant.name, 0, &[5, 6]);
    }
}

#[test]
fn reborrow_may_use_the_last_pointer_it_made() {
    Wire::over(&[0; 4]).write_u16(2, 0x0102).gives("reborrow", 1, &[0, 0, 2, 1]);
}

#[test]
fn deref_mut_may_add_operands_that_are_apart() {
    Wire::over(&[200, 100, 9, 0, 1, 1, 2, 2])
        .write_u8(3, 7)
        .add_u8(0, 1, 2)
        .add_u16(4, 6, 0)
        .gives("deref-mut", 3, &[3, 3, 44, 7, 1, 1, 2, 2]);
}

#[test]
fn the_first_operand_that_is_out_of_bounds_traps() {
    let wire = Wire::over(&[1, 2]).write_u8(0, 9);
    wire.add_u8(0, 2, u64::MAX).traps(TrapKind::OutOfBounds, 1, "addr_op2", &[1, 2]);
    Wire::over(&[]).write_u8(0, 9).traps(TrapKind::OutOfBounds, 0, "addr", &[]);
}

#[test]
fn the_first_operand_that_is_misaligned_traps() {
    let wire = Wire::over(&[1, 2, 3, 4]).write_u8(0, 9).add_u8(1, 1, 1);
    wire.add_u16(0, 2, 1).traps(TrapKind::Misaligned, 2, "addr_res", &[1, 2, 3, 4]);
    let wire = Wire::over(&[1, 2, 3]).add_u16(1, 3, 9);
    wire.traps(TrapKind::Misaligned, 0, "addr_op1", &[1, 2, 3]);
}

/// `raw` with nothing but what the trait asks for.
struct Plain(*mut u8);

impl<'m> Variant<'m> for Plain {
    type Operand<T: Value> = *mut T;

    fn over(memory: &'m mut [u8]) -> Self {
        Plain(memory.as_mut_ptr())
    }

    unsafe fn compile<T: Value>(
        &mut self,
        op: Op<T, usize>,
        marks: &mut impl Marks,
    ) -> Op<T, *mut T> {
        // SAFETY: the address is in bounds.
        op.map(marks, |addr| unsafe { self.0.add(addr) }.cast())
    }

    unsafe fn load<T: Value>(&mut self, from: *mut T) -> T {
        // SAFETY: made by `compile`, hence valid and aligned.
        unsafe { *from }
    }

    unsafe fn store<T: Value>(&mut self, to: *mut T, value: T) {
        // SAFETY: as in `load`.
        unsafe { *to = value }
    }
}

#[test]
fn bytes_are_moved_one_by_one_where_a_variant_says_nothing_else() {
    let run = |opcode, words: [u64; 3]| {
        let memory = [words.map(u64::to_le_bytes).concat(), vec![1, 2, 3, 4, 5]].concat();
        let wire = Wire::over(&memory).opcode(opcode, &[0, 8, 16], &[]).0;
        // SAFETY: `Plain` is sound.
        let finished = unsafe { harness_vm::run(&entry!("plain", Plain), &wire, false) };
        finished.expect("well-formed").memory[24..].to_vec()
    };
    assert_eq!(run(0x79, [24, 4, 25]), [1, 1, 2, 3, 4]);
    assert_eq!(run(0x79, [25, 4, 24]), [2, 3, 4, 5, 5]);
    assert_eq!(run(0x7a, [24, 2, 27]), [1, 2, 3, 1, 2]);
    assert_eq!(run(0x7b, [9, 3, 25]), [1, 9, 9, 9, 5]);
}
