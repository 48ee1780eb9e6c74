//! Assembly in a Rust file, paired with the Rust that stands for it under Miri.

mod asm_block;
mod block_side;
mod condition;
mod pairs;
mod plain;
mod source;

use pyo3::prelude::*;

pub use asm_block::{AsmBlock, AsmOperand};
pub use block_side::RustVariable;
pub use pairs::{RustPair, RustStories, RustUnread};
pub use plain::RustExpr;
pub use source::RustText;

use source::Source;

// Written in Python, as `TomlError` is.
pyo3::import_exception!(harness.errors, RustError);

/// The blocks of assembly in `text`, a whole file, with the stories beside them.
///
/// Raises: harness.errors.RustError, if it is not Rust.
#[pyfunction]
#[pyo3(signature = (text: "str") -> "RustStories")]
pub fn rust_stories(text: &str) -> PyResult<RustStories> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = syn::parse_file(text).map_err(|error| {
        let place = error.span().start();
        RustError::new_err((error.to_string(), place.line.max(1), place.column + 1))
    })?;
    Ok(pairs::find(&file, &Source::new(text)))
}
