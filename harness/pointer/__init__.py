"""The pointer language: programs as data, as text, and written out as Rust."""
