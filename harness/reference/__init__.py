"""The reference VM: what a bytecode program means."""
