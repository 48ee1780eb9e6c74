//! Marks: who is next, told before it happens, so that a run that ends in the middle has a place.
//!
//! The run loop is one place in the source for all instructions, hence an interpreter's
//! diagnostic cannot say which of them failed. A marked run can.

use crate::text;

/// Is told what comes next. It never touches the program's memory.
pub trait Marks {
    /// Whether it does anything; an interpreter takes a call's time to find that it does not.
    const LISTENS: bool = true;

    /// The instruction with this index is compiled next.
    fn compile(&mut self, instruction: usize);

    /// The instruction with this index is executed next.
    fn run(&mut self, instruction: usize);

    /// This operand of the current instruction is made or accessed next.
    fn operand(&mut self, name: &'static str);
}

/// No marks.
pub struct Silent;

impl Marks for Silent {
    const LISTENS: bool = false;

    fn compile(&mut self, _: usize) {}
    fn run(&mut self, _: usize) {}
    fn operand(&mut self, _: &'static str) {}
}

/// Bytes of a line, at most.
const LONGEST: usize = 64;

/// A line on standard error for each mark: `compile I` or `run I`, and for each of its operands
/// one with two spaces and the name.
pub struct Lines {
    instruction: [u8; LONGEST],
    /// Begins with the spaces.
    operand: [u8; LONGEST],
}

impl Lines {
    /// No mark yet.
    pub fn new() -> Self {
        Lines { instruction: [0; LONGEST], operand: [b' '; LONGEST] }
    }

    fn begin(&mut self, phase: &[u8], instruction: usize) {
        let at = text::put(&mut self.instruction, 0, phase);
        let end = text::put_decimal(&mut self.instruction, at, instruction as u64);
        self.instruction[end] = b'\n';
        // One write: each takes an interpreter as long as dozens of accesses.
        text::write_error(&self.instruction, end + 1);
    }
}

impl Default for Lines {
    fn default() -> Self {
        Lines::new()
    }
}

impl Marks for Lines {
    fn compile(&mut self, instruction: usize) {
        self.begin(b"compile ", instruction);
    }

    fn run(&mut self, instruction: usize) {
        self.begin(b"run ", instruction);
    }

    fn operand(&mut self, name: &'static str) {
        let end = text::put(&mut self.operand, 2, name.as_bytes());
        self.operand[end] = b'\n';
        text::write_error(&self.operand, end + 1);
    }
}
