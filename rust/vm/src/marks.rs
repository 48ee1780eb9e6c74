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

/// A line on standard error for each mark: `compile I`, `run I`, and each with an operand's
/// name behind it.
pub struct Lines {
    /// Phase and instruction, and room for an operand.
    line: [u8; LONGEST],
    /// Where phase and instruction end.
    end: usize,
}

impl Lines {
    /// No mark yet.
    pub fn new() -> Self {
        Lines { line: [0; LONGEST], end: 0 }
    }

    fn begin(&mut self, phase: &[u8], instruction: usize) {
        let at = text::put(&mut self.line, 0, phase);
        self.end = text::put_decimal(&mut self.line, at, instruction as u64);
        self.write(self.end);
    }

    /// Writes the line's first bytes, and its end.
    fn write(&mut self, end: usize) {
        self.line[end] = b'\n';
        text::write_error(&self.line[..end + 1]);
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
        let at = text::put(&mut self.line, self.end, b" ");
        let at = text::put(&mut self.line, at, name.as_bytes());
        // One write: each takes an interpreter as long as dozens of accesses.
        self.write(at);
    }
}
