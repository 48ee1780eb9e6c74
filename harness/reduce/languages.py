"""The two kinds of programs that can be reduced, each with its passes in their order."""

from __future__ import annotations

import harness.reduce.bytecode_edits as bytecode_edits
import harness.reduce.pointer_edits as pointer_edits
from harness.bytecode.program import Program
from harness.pointer.program import PointerProgram
from harness.reduce.edits import BytecodeEdit, PointerEdit
from harness.reduce.search import Language, Pass

POINTER: Language[PointerProgram, PointerEdit] = Language(
    passes=(
        Pass(name="drop statements", propose=pointer_edits.drops),
        Pass(name="drop allocations", propose=pointer_edits.allocation_drops),
        Pass(name="inline calls", propose=pointer_edits.inlinings),
        Pass(name="bypass pointers", propose=pointer_edits.bypasses),
        Pass(name="simplify borrows", propose=pointer_edits.plainer_statements),
        Pass(name="smaller numbers", propose=pointer_edits.smaller_fields),
    ),
    apply=pointer_edits.apply,
    size=pointer_edits.size,
)

BYTECODE: Language[Program, BytecodeEdit] = Language(
    passes=(
        Pass(name="drop instructions", propose=bytecode_edits.instruction_drops),
        Pass(name="less memory", propose=bytecode_edits.smaller_memories),
        Pass(name="smaller operands", propose=bytecode_edits.smaller_instructions),
    ),
    apply=bytecode_edits.apply,
    size=lambda program: len(program.instructions),
)
