//! The command line of the VM: one program, or a batch of them.
//!
//! A result is one line on standard output: `ran STEPS HEXMEMORY`, or
//! `trapped KIND INSTRUCTION OPERAND HEXMEMORY`; empty memory is `-`. A batch writes `begin ID`
//! before each result, so that a run that never ends has a name too.

use std::ffi::CStr;
use std::io::BufRead;
use std::process::ExitCode;

use crate::machine::run;
use crate::outcome::{Finished, Outcome};
use crate::text;
use crate::variants::{Entry, find};

const USAGE: &str = "usage: harness-vm [--markers] VARIANT HEX
       harness-vm --batch   (lines `ID VARIANT HEX` on standard input)
       harness-vm --list    (the variants' names, in hexadecimal, a line each)";

/// Defines the command's entry for a table of variants, in a crate that begins with
/// `#![cfg_attr(miri, no_main)]`.
///
/// Miri starts at `miri_start`, before the standard library's runtime, whose set-up takes it
/// longer than most programs. A crate can as well define `main` and call
/// [`command::main`](crate::command::main) there.
#[macro_export]
macro_rules! main {
    ($table:expr) => {
        #[cfg(not(miri))]
        fn main() -> std::process::ExitCode {
            $crate::command::main($table)
        }

        #[cfg(miri)]
        #[unsafe(no_mangle)]
        fn miri_start(argc: isize, argv: *const *const u8) -> isize {
            // SAFETY: Miri calls this with the process's arguments.
            unsafe { $crate::command::start(argc, argv, $table) }
        }
    };
}

/// Does what the process's arguments ask for, with the variants of `table`.
///
/// Exit codes: 0, or 2 for a malformed program, an unknown variant or a wrong call, with a
/// message on standard error. The variants run whether or not they are sound: that is what the
/// command is for.
pub fn main(table: &[Entry]) -> ExitCode {
    let mut owned = Vec::new();
    for argument in std::env::args_os().skip(1) {
        owned.push(argument.into_encoded_bytes());
    }
    let arguments: Vec<&[u8]> = owned.iter().map(|argument| argument.as_slice()).collect();
    ExitCode::from(call(table, &arguments))
}

/// [`main`](fn@main) with the arguments as the C runtime has them.
///
/// # Safety
///
/// `argv` points to `argc` pointers to strings that end in a zero byte and are not changed.
pub unsafe fn start(argc: isize, argv: *const *const u8, table: &[Entry]) -> isize {
    let mut arguments: Vec<&[u8]> = Vec::new();
    let mut at = 1;
    while at < argc {
        // SAFETY: there are `argc` pointers.
        let argument = unsafe { argv.offset(at) };
        // SAFETY: as above.
        let argument = unsafe { *argument };
        // SAFETY: it points to a string that ends in a zero byte.
        arguments.push(unsafe { CStr::from_ptr(argument.cast()) }.to_bytes());
        at += 1;
    }
    isize::from(call(table, &arguments))
}

/// Does what `arguments` ask for and gives the exit code.
fn call(table: &[Entry], arguments: &[&[u8]]) -> u8 {
    let done = match *arguments {
        [b"--batch"] => batch(table),
        [b"--list"] => list(table),
        [variant, hex] => single(table, variant, hex, false),
        [b"--markers", variant, hex] => single(table, variant, hex, true),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => 0,
        Err(message) => {
            text::write_error(format!("{message}\n").as_bytes());
            2
        }
    }
}

fn single(table: &[Entry], variant: &[u8], hex: &[u8], marked: bool) -> Result<(), String> {
    print(&result_line(&finish(table, variant, hex, marked)?))
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
        print(&begin_line(id))?;
        print(&result_line(&finish(table, variant, hex, false)?))?;
    }
}

/// Names are data: whatever is in them, each is one line; `-` is an empty one.
fn list(table: &[Entry]) -> Result<(), String> {
    for entry in table {
        let name = entry.name.as_bytes();
        let mut line = vec![0; 2 * name.len() + 2];
        let at = text::put_hex(&mut line, 0, name);
        let end = text::put(&mut line, at, b"\n");
        print(&line[..end])?;
    }
    Ok(())
}

fn print(line: &[u8]) -> Result<(), String> {
    text::write_output(line).map_err(|error| error.to_string())
}

/// The three words of a line, which single spaces part.
///
/// The third is the rest of the line; a space in it is no hexadecimal digit.
fn words(line: &[u8]) -> Option<[&[u8]; 3]> {
    let mut end = line.len();
    if end > 0 && line[end - 1] == b'\n' {
        end -= 1;
    }
    let first = space(line, 0, end)?;
    let second = space(line, first + 1, end)?;
    Some([&line[..first], &line[first + 1..second], &line[second + 1..end]])
}

/// Where the word that begins at `start` ends; None if it is empty or no space ends it.
fn space(line: &[u8], start: usize, end: usize) -> Option<usize> {
    let mut at = start;
    while at < end {
        if line[at] == b' ' {
            return if at > start { Some(at) } else { None };
        }
        at += 1;
    }
    None
}

fn finish(table: &[Entry], name: &[u8], hex: &[u8], marked: bool) -> Result<Finished, String> {
    let Some(variant) = find(table, name) else {
        return Err(no_variant(table, name));
    };
    let Some(wire) = text::read_hex(hex) else {
        return Err("a program is an even number of hexadecimal digits".to_owned());
    };
    // SAFETY: this process exists to run the variant, and nothing in it depends on the result
    // but the line that says it.
    unsafe { run(variant, &wire, marked) }.map_err(|malformed| malformed.to_string())
}

fn no_variant(table: &[Entry], name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let names: Vec<&str> = table.iter().map(|entry| entry.name).collect();
    format!("there is no variant {name:?}; the variants are {}", names.join(", "))
}

fn begin_line(id: &[u8]) -> Vec<u8> {
    let mut line = vec![0; 7 + id.len()];
    let out = line.as_mut_slice();
    let at = text::put(out, 0, b"begin ");
    let at = text::put(out, at, id);
    text::put(out, at, b"\n");
    line
}

/// The line, newline included, that says how a run ended.
pub fn result_line(finished: &Finished) -> Vec<u8> {
    // Room for the longest names and numbers.
    let mut line = vec![0; 2 * finished.memory.len() + 2 * text::DECIMAL + 64];
    let out = line.as_mut_slice();
    let mut at = match finished.outcome {
        Outcome::Ran { steps } => {
            let at = text::put(out, 0, b"ran ");
            text::put_decimal(out, at, steps)
        }
        Outcome::Trapped(trap) => {
            let at = text::put(out, 0, b"trapped ");
            let at = text::put(out, at, trap.kind.name().as_bytes());
            let at = text::put(out, at, b" ");
            let at = text::put_decimal(out, at, trap.instruction as u64);
            let at = text::put(out, at, b" ");
            text::put(out, at, trap.operand.as_bytes())
        }
    };
    at = text::put(out, at, b" ");
    at = text::put_hex(out, at, &finished.memory);
    at = text::put(out, at, b"\n");
    line.truncate(at);
    line
}
