"""Any instructions of the table, with any operands that they can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from harness.bytecode.instruction_set import FORMS, Field, Form, Kind
from harness.bytecode.operands import ADDRESS_LIMIT, REGISTERS
from harness.bytecode.pointers import FRAME_LIMIT
from harness.bytecode.program import Instruction


def instructions(count: int) -> st.SearchStrategy[Instruction]:
    """One instruction of a program that has `count`."""

    def number(form: Form, field: Field) -> st.SearchStrategy[int]:
        match field.kind:
            case Kind.MEMORY | Kind.POINTER:
                return st.integers(0, ADDRESS_LIMIT - 1)
            case Kind.TARGET:
                return st.integers(0, count)
            case Kind.REGISTER | Kind.POINTED:
                return st.integers(0, REGISTERS - 1)
            case Kind.CONSTANT:
                return st.integers(0, form.width.limit - 1 if form.width else FRAME_LIMIT)

    def of(form: Form) -> st.SearchStrategy[Instruction]:
        values = {field.name: number(form, field) for field in form.written}
        return st.fixed_dictionaries(values).map(form.make)

    return st.sampled_from(FORMS).flatmap(of)


SEQUENCES: st.SearchStrategy[tuple[Instruction, ...]] = st.integers(0, 8).flatmap(
    lambda count: st.lists(instructions(count), min_size=count, max_size=count).map(tuple)
)
"""The instructions of a program, whose targets are in it."""
