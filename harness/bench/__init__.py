"""Benches: how fast things are, measured side by side."""
