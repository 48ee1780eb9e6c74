"""Stories: what assembly and foreign functions do, told in Rust; `docs/stories.md` has it."""
