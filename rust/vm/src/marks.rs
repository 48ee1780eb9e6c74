//! Marks: who is next, told before it happens, so that a run that ends in the middle has a place.
//!
//! The run loop is one place in the source for all instructions, hence an interpreter's
//! diagnostic cannot say which of them failed. A marked run can.

use crate::text;

/// Is told what comes next. It never touches the program's memory.
pub trait Marks {
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
    fn compile(&mut self, _: usize) {}
    fn run(&mut self, _: usize) {}
    fn operand(&mut self, _: &'static str) {}
}

/// A line on standard error for each mark: `compile I`, `run I`, and each with an operand's
/// name behind it.
pub struct Lines {
    /// Phase and instruction, and room for an operand's name.
    line: [u8; 64],
    /// Where the instruction's number ends.
    end: usize,
}

impl Lines {
    /// No mark yet.
    pub fn new() -> Self {
        Lines { line: [0; 64], end: 0 }
    }

    fn begin(&mut self, phase: &[u8], instruction: usize) {
        let at = text::put(&mut self.line, 0, phase);
        self.end = text::put_decimal(&mut self.line, at, instruction as u64);
        self.write(self.end);
    }

    fn write(&mut self, at: usize) {
        let end = text::put(&mut self.line, at, b"\n");
        text::write_error(&self.line[..end]);
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

    /// Panics if the name has more than 34 characters, which no operand's name has.
    fn operand(&mut self, name: &'static str) {
        let at = text::put(&mut self.line, self.end, b" ");
        let at = text::put(&mut self.line, at, name.as_bytes());
        self.write(at);
    }
}
