"""The journal of a reduction: a folder with a case file for every accepted step.

Steps are numbered; each is written whole before the next candidate is tried, so that a
reduction can be killed at any moment and goes on from the last one. `reduction.json` says which
program and which symptom the steps are of.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bytecode.program import Program
from harness.cases.load import load
from harness.cases.write import bytecode_case_text, pointer_case_text
from harness.errors import InputError, Place
from harness.pointer.program import PointerProgram
from harness.reference import vm as reference_vm
from harness.report.report_file import ReportFile
from harness.toolchain.workspace import digest

if TYPE_CHECKING:
    from harness.reduce.symptom import Symptom

HEAD = "reduction.json"

_STEP = re.compile(r"(\d{3,})-[a-z-]+\.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """folder: where the steps are; made when the first is written. symptom: what they share.

    original: the case that the reduction began with, by its name.
    """

    folder: Path
    original: str
    symptom: Symptom

    def last(self, program: Program | PointerProgram) -> Program | PointerProgram:
        """The program of the last step; `program` itself where there is none.

        Raises: InputError, if the folder holds the steps of another reduction.
        """
        head = self.folder / HEAD
        if not head.exists():
            return program
        if _read(head) != self._head(program):
            message = "the folder holds another reduction"
            remedy = "name another folder with --steps, or remove this one"
            raise InputError(Place(file=str(self.folder)), message, remedy)
        steps = self._steps()
        if not steps:
            return program
        loaded = load([steps[max(steps)]])
        if loaded.errors:
            raise loaded.errors[0]
        last = loaded.cases[0].program
        assert isinstance(last, Program | PointerProgram), "steps are of no other kind"
        return last

    def begin(self, program: Program | PointerProgram) -> None:
        """Write what the reduction is of, unless it is there already. Raises: InputError."""
        head = self.folder / HEAD
        if head.exists():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot be made: {error.strerror}"
            raise InputError(Place(file=str(self.folder)), message, "name another one") from None
        self._write(head, json.dumps(self._head(program), indent=1) + "\n")
        self.add(program, "original")

    def add(self, program: Program | PointerProgram, step: str) -> None:
        """Keep a step. step: the name of the pass that it is by."""
        number = max(self._steps(), default=-1) + 1
        name = f"{number:03}-{re.sub(r'[^a-z]+', '-', step.lower())}.toml"
        text = case_text(
            program,
            description=f"A step of the reduction of {self.original}: {step}.",
            source="harness reduce",
            rule=self.symptom.rule or "",
            remarks=(str(self.symptom),),
        )
        self._write(self.folder / name, text)

    def _head(self, program: Program | PointerProgram) -> dict[str, str]:
        return {
            "case": self.original,
            "program": digest(repr(program)),
            "symptom": str(self.symptom),
        }

    def _steps(self) -> dict[int, Path]:
        found = ((each, _STEP.fullmatch(each.name)) for each in self.folder.glob("*.toml"))
        return {int(match[1]): path for path, match in found if match}

    def _write(self, path: Path, text: str) -> None:
        ReportFile(option="--steps", path=path).write(text.encode())


def case_text(
    program: Program | PointerProgram,
    *,
    description: str,
    source: str,
    rule: str,
    remarks: tuple[str, ...] = (),
) -> str:
    """The program as a case file, without expectations of single modes."""
    if isinstance(program, Program):
        expected = reference_vm.run(program)
        return bytecode_case_text(
            program, description=description, source=source, expected=expected, remarks=remarks
        )
    return pointer_case_text(
        program, description=description, source=source, rule=rule, remarks=remarks
    )


def _read(head: Path) -> object:
    try:
        return json.loads(head.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"cannot be read: {error}"
        raise InputError(Place(file=str(head)), message, "remove the folder") from None
