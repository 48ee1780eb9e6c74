//! How a run ends.

/// Why a program stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapKind {
    /// Some of the operand's bytes lie beyond the memory: in compiling, or in running where its
    /// address is computed.
    OutOfBounds,
    /// Its address is not a multiple of its width; likewise.
    Misaligned,
    /// In running: the divisor is zero.
    DivisionByZero,
    /// In running: a signed quotient does not fit.
    DivisionOverflow,
    /// In running: a value that must not be is zero.
    AssertionFailed,
    /// In running: the ranges of a copy that forbids it have bytes in common.
    Overlap,
    /// In running: the host has entered the VM as often as it may without leaving it.
    CallDepth,
    /// As many instructions have been executed as may be.
    StepLimit,
}

impl TrapKind {
    /// The kind's name in results.
    pub fn name(self) -> &'static str {
        match self {
            TrapKind::OutOfBounds => "out-of-bounds",
            TrapKind::Misaligned => "misaligned",
            TrapKind::DivisionByZero => "division-by-zero",
            TrapKind::DivisionOverflow => "division-overflow",
            TrapKind::AssertionFailed => "assertion-failed",
            TrapKind::Overlap => "overlap",
            TrapKind::CallDepth => "call-depth",
            TrapKind::StepLimit => "step-limit",
        }
    }
}

/// Where a program stops, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// The opcode's index.
    pub instruction: usize,
    /// The operand's name in the opcode.
    pub operand: &'static str,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every instruction was executed.
    Ran {
        /// How many.
        steps: u64,
    },
    /// It stopped before its end; of a trap in compiling no instruction was executed.
    Trapped(Trap),
}

/// How a run ended, and what the owner then read in the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// The memory's bytes.
    pub memory: Vec<u8>,
}
