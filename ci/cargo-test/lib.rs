//! Nothing: the example is `tests/harness.rs`.
