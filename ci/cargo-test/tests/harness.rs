//! Cases of the harness as tests of `cargo test`: copy this file into `tests/` of a crate.
//!
//! The harness has to be on PATH (`pip install …`), or in the variable `HARNESS`.

use std::process::Command;

/// Runs the harness, and shows all it says where that is not "all agrees".
fn harness(arguments: &[&str]) {
    let program = std::env::var_os("HARNESS").unwrap_or("harness".into());
    let output = match Command::new(&program).args(arguments).output() {
        Ok(output) => output,
        Err(error) => panic!("{program:?} cannot be started: {error}; is the harness installed?"),
    };
    let words = match output.status.code() {
        Some(0) => return,
        Some(1) => "something does not agree",
        Some(2) => "a case cannot be read",
        Some(3) => "something that was asked for could not be checked",
        _ => "the harness itself failed",
    };
    panic!(
        "{words}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

/// The harness's own corpus, on the engines that need no cargo: do reference, model and VM agree?
#[test]
fn the_corpus_holds() {
    harness(&[
        "run",
        "--quick",
        "--engine",
        "reference",
        "--engine",
        "model",
        "--engine",
        "in-process",
    ]);
}

/// The cases of this crate, on everything that this machine has.
#[test]
fn the_cases_of_this_crate_hold() {
    harness(&["run", concat!(env!("CARGO_MANIFEST_DIR"), "/cases")]);
}
