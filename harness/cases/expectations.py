"""`[expect.miri]`: what a case says of single variants and modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from msgspec import Meta, Struct, field

from harness.cases.case import Expectation
from harness.cases.toml_document import nearest
from harness.errors import quoted
from harness.mode import EVERY_MODE, MODES, Aliasing, Mode
from harness.outcome import (
    FAULTS_OF_RUST,
    FaultKind,
    Location,
    Outcome,
    Panicked,
    Ran,
    UndefinedBehaviour,
    Unsupported,
    UnsupportedKind,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from enum import StrEnum

    from harness.bytecode.program import Program
    from harness.cases.toml_document import Document, Path

SELECTIONS: dict[str, tuple[Mode, ...]] = {
    "all": MODES,
    **{
        str(aliasing): tuple(mode for mode in EVERY_MODE if mode.aliasing is aliasing)
        for aliasing in Aliasing
    },
    **{str(mode): (mode,) for mode in EVERY_MODE},
}
"""Which modes a key stands for; a later one of these wins over an earlier one."""


class OutcomeTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    class_: Annotated[str, Meta(description='class = "ub"')] = field(name="class")
    kind: Annotated[str | None, Meta(description='kind = "aliasing"')] = None
    instruction: Annotated[int | None, Meta(description="instruction = 0, counted from 0")] = None
    operand: Annotated[str | None, Meta(description='operand = "addr_res"')] = None


_KINDS: dict[str, tuple[FaultKind, ...] | tuple[UnsupportedKind, ...]] = {
    UndefinedBehaviour.name: FAULTS_OF_RUST,
    Unsupported.name: tuple(UnsupportedKind),
}
_CLASSES = (Ran.name, UndefinedBehaviour.name, Unsupported.name, Panicked.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationReader:
    """Reads one case's expectations.

    ran: what the program comes to where nothing goes wrong.
    variants: the names that there are; None where any name will do.
    """

    document: Document
    program: Program
    ran: Ran
    variants: Collection[str] | None

    def read(self, path: Path, by_variant: dict[str, object]) -> tuple[Expectation, ...]:
        """What the table `by_variant`, which stands at `path`, expects.

        Raises: InputError.
        """
        found: list[Expectation] = []
        for variant, by_mode in by_variant.items():
            at = (*path, variant)
            if self.variants is not None and variant not in self.variants:
                message = f"there is no variant {quoted(variant)}"
                raise self.document.key_error(at, message, nearest(variant, self.variants))
            if not isinstance(by_mode, dict):
                message = "what a variant must show is a table by mode"
                raise self.document.error(at, message, 'write stacked = { class = "ub" }')
            outcomes = self._by_mode(at, cast("dict[str, object]", by_mode))
            found += [
                Expectation(variant=variant, mode=mode, outcome=outcomes[mode])
                for mode in EVERY_MODE
                if mode in outcomes
            ]
        return tuple(found)

    def _by_mode(self, path: Path, by_mode: dict[str, object]) -> dict[Mode, Outcome]:
        for name in by_mode:
            if name not in SELECTIONS:
                message = f"there is no mode {quoted(name)}"
                raise self.document.key_error((*path, name), message, nearest(name, SELECTIONS))
        outcomes: dict[Mode, Outcome] = {}
        for name, modes in SELECTIONS.items():
            if name in by_mode:
                outcomes |= dict.fromkeys(modes, self._outcome((*path, name)))
        return outcomes

    def _outcome(self, path: Path) -> Outcome:
        table = self.document.table(path, OutcomeTable)
        self.document.check_one_of((*path, "class"), table.class_, _CLASSES, "class")
        if table.class_ == Ran.name:
            self._refuse(path, table, "kind", "instruction", "operand")
            return self.ran
        location = read_location(
            self.document, path, self.program, table.instruction, table.operand
        )
        if table.class_ == Panicked.name:
            self._refuse(path, table, "kind")
            return Panicked(message="", location=location)
        kind = self._kind(path, table)
        if isinstance(kind, FaultKind):
            return UndefinedBehaviour(kind=kind, message="", location=location)
        return Unsupported(kind=UnsupportedKind(kind), message="", location=location)

    def _kind(self, path: Path, table: OutcomeTable) -> StrEnum:
        kinds = _KINDS[table.class_]
        names = {str(kind): kind for kind in kinds}
        if table.kind is None:
            message = f"class {quoted(table.class_)} without a kind"
            raise self.document.error(path, message, f"its kinds are {', '.join(names)}")
        self.document.check_one_of((*path, "kind"), table.kind, names, f"{table.class_} kind")
        return names[table.kind]

    def _refuse(self, path: Path, table: OutcomeTable, *names: str) -> None:
        for name in names:
            if getattr(table, name) is not None:
                message = f"class {quoted(table.class_)} has no {name}"
                raise self.document.key_error((*path, name), message, f"leave out {name}")


def read_location(
    document: Document,
    path: Path,
    program: Program,
    instruction: int | None,
    operand: str | None,
    names: tuple[str, ...] = (),
) -> Location:
    """The place in `program` that `instruction` and `operand` of the table at `path` name.

    names: what the operand may be, if not one of the instruction's.

    Raises: InputError, if the program has no such place.
    """
    if instruction is None:
        if operand is None:
            return Location()
        message = "an operand without its instruction"
        remedy = "write instruction = 0, counted from 0"
        raise document.key_error((*path, "operand"), message, remedy)
    count = len(program.instructions)
    if not 0 <= instruction < count:
        numbers = f"from 0 to {count - 1}" if count else "none: the program is empty"
        message = "the program has no such instruction"
        remedy = f"its instructions are {numbers}"
        raise document.error((*path, "instruction"), message, remedy)
    named = program.instructions[instruction]
    names = names or (
        *(each.name for each in named.operands()),
        *named.registers,
        *named.computes,
    )
    if operand is not None and operand not in names:
        message = f"instruction {instruction} has no operand {quoted(operand)}"
        raise document.error((*path, "operand"), message, f"its operands are {', '.join(names)}")
    return Location(instruction=instruction, operand=operand)
