//! `harness._native`: what the Python package leaves to Rust.

mod toml_document;
mod vm;

/// What the Python package leaves to Rust: the Rust VM in process, and TOML with the place of
/// every key and value.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::toml_document::{TomlPlace, parse_toml};
    #[pymodule_export]
    use super::vm::{Ran, Trapped, run, variants};
}
