"""Stories: what inline assembly and foreign functions do, told in Rust. Reference: `docs/stories.md`."""
