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
    fn operand(&mut self, name: &'static Name);
}

/// The name of an operand: one of the constants here.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    /// As reports have it.
    pub text: &'static str,
    line: Line,
}

impl Name {
    const fn new(text: &'static str) -> Self {
        Name { text, line: Line::ending(text.as_bytes()) }
    }
}

macro_rules! names {
    ($($constant:ident $text:literal: $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: &Name = &Name::new($text);
        )*
    };
}

names! {
    ADDR "addr": "The only operand.";
    ADDR_OP "addr_op": "The operand that a value comes from.";
    ADDR_OP1 "addr_op1": "The first of two.";
    ADDR_OP2 "addr_op2": "The second.";
    ADDR_RES "addr_res": "The operand that the result goes to, or that says where.";
    ADDR_SIZE "addr_size": "The operand that says how many bytes.";
    AT_OP "at_op": "What lies at a computed address, and is read.";
    AT_RES "at_res": "What lies at a computed address, and is written.";
    PTR_OP "ptr_op": "A pointer of the program's own.";
    FRAME "frame": "The bytes that a call has to itself.";
}

/// No marks.
pub struct Silent;

impl Marks for Silent {
    const LISTENS: bool = false;

    fn compile(&mut self, _: usize) {}
    fn run(&mut self, _: usize) {}
    fn operand(&mut self, _: &'static Name) {}
}

/// A line on standard error for each mark: `compile I` or `run I`, and for each of its operands the
/// name, with spaces before it.
#[derive(Default)]
pub struct Lines;

impl Marks for Lines {
    fn compile(&mut self, instruction: usize) {
        if instruction < READY {
            tell(&raw const COMPILE[instruction]);
        } else {
            tell(&Line::numbered(b"compile ", instruction));
        }
    }

    fn run(&mut self, instruction: usize) {
        if instruction < READY {
            tell(&raw const RUN[instruction]);
        } else {
            tell(&Line::numbered(b"run ", instruction));
        }
    }

    fn operand(&mut self, name: &'static Name) {
        tell(&raw const name.line);
    }
}

/// How many instructions have lines that are ready: to write a number takes an interpreter as long
/// as ten instructions of the program.
const READY: usize = 100;

static COMPILE: [Line; READY] = Line::all(b"compile ");
static RUN: [Line; READY] = Line::all(b"run ");

/// Bytes of every line: the longest word, fifteen digits, and the line's end.
const LENGTH: usize = 24;

/// A line, with spaces on its left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
struct Line([u8; LENGTH]);

impl Line {
    const fn ending(word: &[u8]) -> Self {
        let mut line = [b' '; LENGTH];
        line[LENGTH - 1] = b'\n';
        let start = LENGTH - 1 - word.len();
        let mut at = 0;
        while at < word.len() {
            line[start + at] = word[at];
            at += 1;
        }
        Line(line)
    }

    /// A word, with the number behind it.
    const fn numbered(word: &[u8], number: usize) -> Self {
        let mut line = [b' '; LENGTH];
        line[LENGTH - 1] = b'\n';
        let mut start = LENGTH - 1;
        let mut rest = number;
        loop {
            start -= 1;
            line[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let mut at = word.len();
        while at > 0 {
            start -= 1;
            at -= 1;
            line[start] = word[at];
        }
        Line(line)
    }

    const fn all(word: &[u8]) -> [Self; READY] {
        let mut lines = [Line([0; LENGTH]); READY];
        let mut number = 0;
        while number < READY {
            lines[number] = Line::numbered(word, number);
            number += 1;
        }
        lines
    }
}

/// By a pointer: what is borrowed an interpreter looks after.
fn tell(line: *const Line) {
    // SAFETY: every caller has a line, which is as many bytes.
    unsafe { text::write_error_from(line as *const u8, LENGTH) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: Line) -> String {
        String::from_utf8(line.0.to_vec()).expect("ASCII")
    }

    #[test]
    fn lines_are_as_long_and_end_as_their_words_do() {
        assert_eq!(text(ADDR_OP1.line), "               addr_op1\n");
        assert_eq!(text(RUN[0]), "                  run 0\n");
        assert_eq!(text(COMPILE[99]), "             compile 99\n");
        assert_eq!(text(Line::numbered(b"run ", 12_345)), "              run 12345\n");
    }
}
