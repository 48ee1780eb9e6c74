"""The memory that a program runs over, and what it grows to.

All of it is allocated at the beginning, since the program's result must be bound before the
first check: the VM allocates when it grows, and nothing but addresses depends on that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bytecode.operands import Width
from harness.bytecode.program import GROWTH_LIMIT, MEMORY_ALIGNMENT
from harness.lowering.builder import OWNER
from harness.pointer import program as p

if TYPE_CHECKING:
    from harness.bytecode.program import Program
    from harness.lowering.builder import Builder
    from harness.lowering.way import Way

MEMORY = "memory"
"""The local or allocation that is the VM's memory."""

FAILED = Width.U64.limit - 1
"""The result of growing where the memory has not grown."""


def set_up(builder: Builder, program: Program, way: Way) -> str:
    """The memory and the owner's borrow of it. Returns what the program's result is read by."""
    size, init = len(program.memory), initial_bytes(program.memory)
    later = sorted({size for size in way.sizes.values() if size > len(program.memory)})
    if later and size:
        # What is given back when it grows cannot be a local.
        builder.add(p.Local(to="content", size=size, init=init))
        builder.add(p.RawConst(to="content_ptr", of="content"))
        builder.add(p.Heap(to=MEMORY, size=size, align=MEMORY_ALIGNMENT))
        builder.add(p.Copy(from_="content_ptr", to_ptr=MEMORY, size=size, overlapping=False))
    else:
        builder.add(p.Local(to=MEMORY, size=size, init=init, align=MEMORY_ALIGNMENT))
    result = OWNER
    for generation, grown in enumerate(later, start=1):
        result = f"{MEMORY}_g{generation}"
        builder.add(p.Heap(to=result, size=grown, align=MEMORY_ALIGNMENT))
    builder.add(p.RefMut(to=OWNER, of=MEMORY))
    return result


def grow(builder: Builder, more: str, size: int | None) -> int:
    """Let the memory grow by what the variable `more` says, as the reference VM has it.

    size: what it has then; None if it cannot grow. Returns the instruction's result.
    """
    before = builder.size
    if size is None:
        builder.guard(more, "gt", GROWTH_LIMIT - before, "diverged", "addr_op")
        return FAILED
    builder.guard(more, "eq", size - before, "diverged", "addr_op")
    if size == before:
        return before
    old = builder.now(MEMORY)
    builder.generation += 1
    builder.size = size
    new, rest = builder.now(MEMORY), builder.now("rest")
    if before:
        builder.add(p.Copy(from_=old, to_ptr=new, size=before, overlapping=False))
    builder.add(p.Sub(to=rest, of=new, offset=before, size=0, inbounds=True))
    builder.add(p.Fill(ptr=rest, value=0, size=size - before))
    if before:
        builder.add(p.Free(ptr=old, size=before, align=MEMORY_ALIGNMENT))
    builder.add(p.RefMut(to=builder.now(OWNER), of=new))
    return before


def initial_bytes(memory: bytes) -> int | str:
    """`memory` as the initial value of an allocation; one byte where all are the same."""
    return memory[0] if len(set(memory)) == 1 else memory.hex()
