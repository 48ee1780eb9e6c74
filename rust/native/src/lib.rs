//! `harness._native`: what the Python package leaves to Rust.

mod deep;
mod rust_names;
mod stories;
mod toml_document;
mod vm;

/// What the Python package leaves to Rust: the Rust VM in process, TOML with the place of every
/// key and value, the names in a piece of Rust and what it does, and the assembly in a file of it.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::rust_names::{RustName, rust_names};
    #[pymodule_export]
    use super::stories::{
        AsmBlock, AsmOperand, RustExpr, RustPair, RustStories, RustTerm, RustText, RustUnread,
        RustVariable, rust_stories, rust_terms,
    };
    #[pymodule_export]
    use super::toml_document::{TomlPlace, parse_toml};
    #[pymodule_export]
    use super::vm::{Ran, Trapped, run, variants};
}
