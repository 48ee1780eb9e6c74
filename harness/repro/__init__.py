"""Reproducers: what a case shows, as one Rust file that needs nothing of this package."""
