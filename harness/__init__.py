"""harness: tells whether Rust code over raw memory is sound, and what soundness costs."""
