//! Assembly in a Rust file, paired with the Rust that stands for it under Miri; and what such
//! Rust does, statement by statement.

mod asm_block;
mod block_side;
mod condition;
mod functions;
mod pairs;
mod plain;
mod source;
mod statements;
mod terms;

use pyo3::prelude::*;

pub use asm_block::{AsmBlock, AsmOperand};
pub use block_side::RustVariable;
pub use pairs::{RustPair, RustStories, RustUnread};
pub use plain::RustExpr;
pub use source::RustText;
pub use terms::{RustTerm, rust_terms};

use source::Source;

use crate::deep::{tokens, with_room};

// Written in Python, as `TomlError` is.
pyo3::import_exception!(harness.errors, RustError);

/// The blocks of assembly in `text`, a whole file, with the stories beside them.
///
/// Raises: harness.errors.RustError, if it is not Rust.
#[pyfunction]
#[pyo3(signature = (text: "str") -> "RustStories")]
pub fn rust_stories(text: &str) -> PyResult<RustStories> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    with_room(|| read(text)).map_err(RustError::new_err)
}

/// Raises: what is wrong, with line and column.
fn read(text: &str) -> Result<RustStories, (String, usize, usize)> {
    let complain = |error: syn::Error| {
        let place = error.span().start();
        (error.to_string(), place.line.max(1), place.column + 1)
    };
    tokens(without_shebang(text)).map_err(complain)?;
    let file = syn::parse_file(text).map_err(complain)?;
    Ok(pairs::find(&file, &Source::new(text)))
}

/// The text from the second line on, if the first says what runs it; lines stay as they are.
fn without_shebang(text: &str) -> &str {
    let is_attribute =
        text.strip_prefix("#!").is_some_and(|rest| rest.trim_start().starts_with('['));
    if !text.starts_with("#!") || is_attribute {
        return text;
    }
    text.find('\n').map_or("", |end| &text[end..])
}
