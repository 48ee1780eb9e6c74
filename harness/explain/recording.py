"""Recording: a run of the abstract machine as a trace.

The machine runs as ever, with its borrow model behind a `Watch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.explain.trace import Moment, Step, TagNote, Trace
from harness.explain.watch import Watch, statement_at
from harness.mode import Aliasing
from harness.model.machine import Machine, exposure_of
from harness.model.provenance import Concrete
from harness.pointer import program as p
from harness.pointer.listing import statement_lines
from harness.pointer.rust import write

if TYPE_CHECKING:
    from harness.mode import Mode
    from harness.model.judgement import Judgement
    from harness.model.provenance import Tag
    from harness.model.variables import Frame
    from harness.pointer.program import Path

MOST_STEPS = 400
"""Steps that are kept by default, counted from the last: a longer story nobody reads."""


def record(program: p.PointerProgram, mode: Mode, *, most_steps: int = MOST_STEPS) -> Trace:
    """Run the well-formed `program` in `mode` and keep its last `most_steps` steps.

    The program is run twice: the first run finds the step and the call of the model that break a
    rule, so that the second can keep the state that they found.
    """
    scout = _Recorder(program, mode, first_step=None, broke_event=None)
    scout.run()
    broke = scout.watch.broke_event
    first = max(0, scout.watch.count - most_steps)
    recorder = _Recorder(program, mode, first_step=first, broke_event=broke)
    judgement = recorder.run()
    texts = dict(statement_lines(program))
    rust = _rust_lines(program)
    moments = list(_moments(program, [step.path for step in recorder.watch.steps]))
    steps = tuple(
        Step(
            number=number + 1,
            path=step.path,
            moment=moments[number],
            text=texts.get(step.path, ""),
            rust=rust.get(step.path),
            events=tuple(step.events),
            blocks=step.blocks,
            broke_event=broke is not None and number + 1 == recorder.watch.count,
        )
        for number, step in enumerate(recorder.watch.steps[: recorder.watch.count])
        if number >= first
    )
    return Trace(
        program=program,
        mode=mode,
        judgement=judgement,
        steps=steps,
        left_out=first,
        tags={} if mode.aliasing is Aliasing.NONE else recorder.notes(),
        texts=texts,
    )


def _rust_lines(program: p.PointerProgram) -> dict[Path, str]:
    """Each statement's line of Rust. A call's function is written before the line that calls."""
    source = write([program])
    text = source.text.splitlines()
    return {path: text[line - 1].strip() for line, (_, path) in sorted(source.lines.items())}


def _moments(program: p.PointerProgram, paths: Sequence[Path]) -> Iterator[Moment]:
    seen: set[Path] = set()
    for path in paths:
        if not isinstance(statement_at(program, path), p.Call):
            yield Moment.WHOLE
        else:
            yield Moment.LEFT if path in seen else Moment.ENTERED
        seen.add(path)


class _Recorder:
    """One watched run."""

    def __init__(
        self,
        program: p.PointerProgram,
        mode: Mode,
        *,
        first_step: int | None,
        broke_event: int | None,
    ) -> None:
        self._program = program
        self._machine = _NamingMachine(mode)
        memory = self._machine.memory
        self.watch = Watch(memory.borrows, program, first_step=first_step, broke_event=broke_event)
        memory.borrows = self.watch

    def run(self) -> Judgement:
        judgement = self._machine.run(self._program)
        self.watch.end_step()
        return judgement

    def notes(self) -> Mapping[Tag, TagNote]:
        """All tags that were made, with the variables that had them."""
        names = self._machine.names
        return {
            tag: replace(note, names=tuple(names.get(tag, ())))
            for tag, note in self.watch.tags.items()
        }


class _NamingMachine(Machine):
    """A machine that keeps, for each tag, the names of the variables that have it."""

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode, exposure_of(mode))
        self.names: dict[Tag, dict[str, None]] = {}

    def _run_body(self, frame: Frame, body: Sequence[p.AnyStatement]) -> None:
        """Callers' variables were bound before those of the body."""
        self._name(frame)
        try:
            super()._run_body(frame, body)
        finally:
            self._name(frame)

    def _name(self, frame: Frame) -> None:
        if frame.caller is not None:
            self._name(frame.caller)
        for name, place in frame.places.items():
            provenance = place.pointer.provenance
            if isinstance(provenance, Concrete):
                self.names.setdefault(provenance.tag, {}).setdefault(name)
