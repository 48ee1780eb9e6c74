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
#[derive(Default)]
pub struct Lines {
    /// Phase and instruction, of which the operands' marks are the continuation.
    current: Vec<u8>,
}

impl Lines {
    fn begin(&mut self, phase: &str, instruction: usize) {
        self.current.clear();
        self.current.extend_from_slice(phase.as_bytes());
        text::push_decimal(&mut self.current, instruction as u64);
        self.write("");
    }

    fn write(&self, rest: &str) {
        let mut line = self.current.clone();
        line.extend_from_slice(rest.as_bytes());
        line.push(b'\n');
        text::write_error(&line);
    }
}

impl Marks for Lines {
    fn compile(&mut self, instruction: usize) {
        self.begin("compile ", instruction);
    }

    fn run(&mut self, instruction: usize) {
        self.begin("run ", instruction);
    }

    fn operand(&mut self, name: &'static str) {
        let length = self.current.len();
        self.current.push(b' ');
        self.write(name);
        self.current.truncate(length);
    }
}
