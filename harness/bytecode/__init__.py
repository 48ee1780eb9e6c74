"""Bytecode programs: data, assembly text and wire form."""
