//! The Rust VM in process.

use harness_vm::variants::find;
use harness_vm::{Outcome, VARIANTS};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Every instruction of the program was executed.
#[pyclass(frozen, get_all, module = "harness._native")]
pub struct Ran {
    /// Instructions executed.
    steps: u64,
    /// The final bytes of the program's memory.
    memory: Py<PyBytes>,
}

/// An operand could not be compiled: no instruction was executed.
#[pyclass(frozen, get_all, module = "harness._native")]
pub struct Trapped {
    /// `out-of-bounds` or `misaligned`.
    kind: &'static str,
    /// Index of the instruction.
    instruction: usize,
    /// The operand's name in its opcode.
    operand: &'static str,
    /// The bytes of the program's memory, which are the initial ones.
    memory: Py<PyBytes>,
}

#[derive(IntoPyObject)]
pub enum Finished {
    Ran(Ran),
    Trapped(Trapped),
}

/// Run a program in a variant of the Rust VM, in this process and without the interpreter lock.
///
/// `wire` is the program's wire form, as `harness.bytecode.wire` writes it.
///
/// Some variants are undefined behaviour by design: `reborrow` and `owner` for nearly every
/// program, `deref-mut` where operands alias each other. What such a run returns is no evidence
/// of anything, and no promise is possible that it returns at all; the caller decides which
/// programs may run here and what the result is worth.
///
/// Raises: ValueError if there is no such variant, or `wire` is not a program.
#[pyfunction]
pub fn run(py: Python<'_>, variant: &str, wire: &[u8]) -> PyResult<Finished> {
    let Some(entry) = find(VARIANTS, variant.as_bytes()) else {
        let names = variants().join(", ");
        return Err(PyValueError::new_err(format!(
            "there is no variant {variant:?}; the variants are {names}"
        )));
    };
    // SAFETY: not always: see the documentation, which leaves the choice to the caller.
    let finished = py.detach(|| unsafe { harness_vm::run(entry, wire, false) });
    let finished = finished.map_err(|malformed| PyValueError::new_err(malformed.to_string()))?;
    let memory = PyBytes::new(py, &finished.memory).unbind();
    Ok(match finished.outcome {
        Outcome::Ran { steps } => Finished::Ran(Ran { steps, memory }),
        Outcome::Trapped(trap) => Finished::Trapped(Trapped {
            kind: trap.kind.name(),
            instruction: trap.instruction,
            operand: trap.operand,
            memory,
        }),
    })
}

/// The names of the Rust VM's variants, in the order of their table.
#[pyfunction]
pub fn variants() -> Vec<&'static str> {
    VARIANTS.iter().map(|entry| entry.name).collect()
}
