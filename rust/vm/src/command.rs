//! The command line of the VM: one program, or a batch of them.
//!
//! A result is one line on standard output: `ran STEPS HEXMEMORY`, or
//! `trapped KIND INSTRUCTION OPERAND HEXMEMORY`; empty memory is `-`. A batch writes `begin ID`
//! before each result, so that a run that never ends has a name too.

use std::io::BufRead;
use std::process::ExitCode;

use crate::machine::{Finished, Outcome, run};
use crate::text;
use crate::variants::{Entry, find};

const USAGE: &str = "usage: harness-vm [--markers] VARIANT HEX
       harness-vm --batch   (lines `ID VARIANT HEX` on standard input)";

/// Does what the process's arguments ask for, with the variants of `table`.
///
/// Exit codes: 0, or 2 for a malformed program, an unknown variant or a wrong call, with a
/// message on standard error. The variants run whether or not they are sound: that is what the
/// command is for.
pub fn main(table: &[Entry]) -> ExitCode {
    let mut arguments = Vec::new();
    for argument in std::env::args_os().skip(1) {
        arguments.push(argument.into_encoded_bytes());
    }
    let done = match arguments.len() {
        1 if arguments[0] == b"--batch" => batch(table),
        2 => single(table, &arguments[0], &arguments[1], false),
        3 if arguments[0] == b"--markers" => single(table, &arguments[1], &arguments[2], true),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            text::write_error(message.as_bytes());
            text::write_error(b"\n");
            ExitCode::from(2)
        }
    }
}

fn single(table: &[Entry], variant: &[u8], hex: &[u8], marked: bool) -> Result<(), String> {
    let mut line = Vec::new();
    push_result(&mut line, &finish(table, variant, hex, marked)?);
    print(&line)
}

fn batch(table: &[Entry]) -> Result<(), String> {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = input.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if length == 0 {
            return Ok(());
        }
        let [id, variant, hex] = words(&line).ok_or("a line of a batch is `ID VARIANT HEX`")?;
        let mut out = b"begin ".to_vec();
        out.extend_from_slice(id);
        out.push(b'\n');
        print(&out)?;
        out.clear();
        push_result(&mut out, &finish(table, variant, hex, false)?);
        print(&out)?;
    }
}

fn print(line: &[u8]) -> Result<(), String> {
    text::write_output(line).map_err(|error| error.to_string())
}

/// The three words of a line, which single spaces part.
fn words(line: &[u8]) -> Option<[&[u8]; 3]> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ');
    let three = [words.next()?, words.next()?, words.next()?];
    match words.next() {
        None if !three[0].is_empty() => Some(three),
        _ => None,
    }
}

fn finish(table: &[Entry], name: &[u8], hex: &[u8], marked: bool) -> Result<Finished, String> {
    let name = String::from_utf8_lossy(name);
    let Some(variant) = find(table, &name) else {
        let names: Vec<&str> = table.iter().map(|entry| entry.name).collect();
        return Err(format!("there is no variant {name:?}; the variants are {}", names.join(", ")));
    };
    let Some(wire) = text::read_hex(hex) else {
        return Err("a program is an even number of hexadecimal digits".to_owned());
    };
    // SAFETY: this process exists to run the variant, and nothing in it depends on the result
    // but the line that says it.
    unsafe { run(variant, &wire, marked) }.map_err(|malformed| malformed.to_string())
}

/// Appends the line, newline included, that says how a run ended.
pub fn push_result(line: &mut Vec<u8>, finished: &Finished) {
    match finished.outcome {
        Outcome::Ran { steps } => {
            line.extend_from_slice(b"ran ");
            text::push_decimal(line, steps);
        }
        Outcome::Trapped(trap) => {
            line.extend_from_slice(b"trapped ");
            line.extend_from_slice(trap.kind.name().as_bytes());
            line.push(b' ');
            text::push_decimal(line, trap.instruction as u64);
            line.push(b' ');
            line.extend_from_slice(trap.operand.as_bytes());
        }
    }
    line.push(b' ');
    text::push_hex(line, &finished.memory);
    line.push(b'\n');
}
