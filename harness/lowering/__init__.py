"""Lowering: bytecode programs as pointer programs, one way for each variant of the VM."""
