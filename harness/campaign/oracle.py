"""The oracle: what is known of a case before anything runs, each piece found at most once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from harness.bytecode.operands import Width
from harness.bytecode.pointers import Read, ReadPointer, Write, WritePointer
from harness.campaign.way import way_along
from harness.cases.case import BytecodeCase
from harness.cases.story_case import StoryCase
from harness.lowering.variants import ON_DEMAND, VARIANTS, Lowered, lower
from harness.mode import MODES, Provenance
from harness.model.exposed import casts_integers, missed_by_wildcard
from harness.model.machine import examine
from harness.outcome import Location, Ran, Trapped, UndefinedBehaviour, Unsupported
from harness.reference import vm as reference_vm
from harness.result import Form
from harness.target import STATED
from harness.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from harness.bytecode.program import Instruction
    from harness.cases.case import Case, ProgramCase
    from harness.engines.engine import Job
    from harness.evidence.archive import Archive
    from harness.mode import Mode
    from harness.model.exposed import ExactReading
    from harness.model.judgement import Judgement
    from harness.outcome import Meaning, Outcome
    from harness.pointer.program import PointerProgram
    from harness.reference.vm import Trace
    from harness.target import ByteOrder, Layout, Target

PERMISSIVE_MODES = tuple(mode for mode in MODES if mode.provenance is Provenance.PERMISSIVE)

Value = TypeVar("Value")

Predict: TypeAlias = "Callable[[PointerProgram, Mode, ByteOrder], Prediction]"
"""What an abstract machine says of a program."""


class Oracle:
    """Answers about cases, which it tells apart by their ids.

    variant: None for a pointer case, a name for a bytecode case. Of a user's own variant, which
    stands in no table, nobody knows what it does: it is owed the reference's memory.
    archive: remembers predictions from one process to the next.
    predict: the abstract machine, or an altered copy of it.
    layout: of the memory that everything is about.
    """

    def __init__(
        self,
        archive: Archive | None = None,
        predict: Predict | None = None,
        layout: Layout = STATED,
    ) -> None:
        self._known: dict[Hashable, object] = {}
        self._archive = archive
        self._machine = predict or predict_by(examine, missed_by_wildcard)
        self._layout = layout
        self._elsewhere: dict[Layout, Oracle] = {}

    def on(self, target: Target | None) -> Oracle:
        """What is known of the same cases on a target; None is the host."""
        if target is None or target.layout == self._layout:
            return self
        if target.layout not in self._elsewhere:
            self._elsewhere[target.layout] = Oracle(self._archive, self._machine, target.layout)
        return self._elsewhere[target.layout]

    def reference(self, case: Case) -> Outcome | None:
        """What the reference VM says; None for a pointer case, which it cannot run."""
        if not isinstance(case, BytecodeCase):
            return None
        return self._trace(case).outcome

    def steps(self, case: BytecodeCase) -> int:
        """How many instructions the reference VM begins."""
        return len(self._trace(case).path)

    def owed(self, case: Case, variant: str | None) -> Outcome | None:
        """What the reference VM says, where the variant owes it.

        One that stores pointers as addresses gives a program that is undefined another meaning:
        an address that was computed may be as good as a pointer.
        """
        outcome = self.reference(case)
        known = VARIANTS.get(variant or "")
        if isinstance(outcome, UndefinedBehaviour) and known is not None and not known.strict:
            return None
        return outcome

    def refusal(self, case: Case, variant: str | None) -> str | None:
        """Why a variant of the table cannot run the case here; None if it can."""
        if not isinstance(case, BytecodeCase) or variant not in VARIANTS:
            return None
        size, wanted = self._layout.pointer_size, STATED.pointer_size
        if size != wanted and any(map(_hangs_on_pointer_size, case.program.instructions)):
            what = "a program that stores pointers, or follows one to a u64"
            return f"{what}, is written for pointers of {wanted} bytes, not of {size}"
        return VARIANTS[variant].refuses(case.program)

    def lowered(self, case: BytecodeCase, variant: str) -> Lowered:
        """The pointer program that the case comes to in a variant."""

        def find() -> Lowered:
            way = way_along(self._trace(case))
            return lower(case.program, VARIANTS[variant], way, self._layout.byte_order)

        return self._once((case.id, variant), find)

    def prediction(self, case: Case, variant: str | None, mode: Mode) -> Prediction | None:
        """What the model says of the case; places are in the bytecode where there is one.

        None for a story (see `retold`), and for a variant that nobody lowers: a user's own, one of
        `ON_DEMAND`, or one that cannot run the case. None also for a pointer case, and for bytecode
        that stores pointers, where a pointer has not the size that the abstract machine gives it.
        """
        if isinstance(case, StoryCase) or (variant is not None and variant not in VARIANTS):
            return None
        if variant is None and self._layout.pointer_size != STATED.pointer_size:
            return None
        if self.refusal(case, variant) is not None:
            return None
        return self.predicted(case, variant, mode)

    def foreseen(self, case: Case, job: Job) -> Job:
        """A job of Miri as it is to be run, with what is predicted of it."""
        if job.form is not Form.VM or job.mode is None:
            return job
        foreseen = self.on(job.target).prediction(case, job.variant, job.mode)
        fails = foreseen and isinstance(foreseen.outcome, UndefinedBehaviour | Unsupported)
        return replace(job, fails=True) if fails else job

    def retold(self, case: StoryCase, mode: Mode) -> Outcome:
        """What the model says of a story, as far as the pointer language can say it.

        What it cannot say is unsupported, as `not-expressed`.
        """
        from harness.retelling.judgement import judge, retell

        def find() -> Outcome:
            retelling = self._once((case.id, "retold"), lambda: retell(case.program))
            return judge(retelling, lambda program: self._examine(program, mode).outcome)

        return self._once((case.id, "story", mode), find)

    def predicted(self, case: ProgramCase, variant: str | None, mode: Mode) -> Prediction:
        """As `prediction`, where the variant is one of `VARIANTS`."""
        return self._once((case.id, variant, mode), lambda: self._predict(case, variant, mode))

    def expected(self, case: Case, variant: str | None, mode: Mode) -> Outcome | None:
        """What the case itself says, or what its variant promises of every case."""
        if not isinstance(case, BytecodeCase):
            assert variant is None, "only bytecode has variants"
            return case.expected_in(mode) if self._layout == STATED else None
        assert variant is not None, "bytecode runs in a variant"
        stated = case.expected_in(variant, mode) if self._is_stated else None
        known = VARIANTS.get(variant) or ON_DEMAND.get(variant)
        if known is None:
            return stated
        return stated or known.promises(case.program, self.meaning(case), mode)

    def stated(self, case: BytecodeCase) -> Meaning | None:
        """What the case says that its program means; None where values lie in another order."""
        return case.expected if self._is_stated else None

    def meaning(self, case: BytecodeCase) -> Meaning:
        """What the program means: as stated, or else by the reference VM."""
        return self.stated(case) or self._trace(case).outcome

    @property
    def _is_stated(self) -> bool:
        """Whether cases of bytecode speak of this layout: no pointer is among its values."""
        return self._layout.byte_order == STATED.byte_order

    def permissive(self, case: Case, variant: str | None) -> Iterator[Outcome]:
        """What is expected or else predicted in each permissive mode, found as it is asked for.

        Where the model reads exposed provenance exactly and differs from Miri's wildcard, that
        decides: a compiler owes the program nothing then.
        """
        for mode in PERMISSIVE_MODES:
            prediction = self.prediction(case, variant, mode)
            stated = self.expected(case, variant, mode)
            owed = stated or (prediction.outcome if prediction else self.reference(case))
            decides = (prediction.exact if prediction else None) or owed
            assert decides is not None, "without a prediction there is a reference"
            yield decides

    def is_defined(self, case: Case, variant: str | None) -> bool:
        """Whether every permissive mode comes to a defined end, so that compiled code must too."""

        def find() -> bool:
            return all(isinstance(each, Ran | Trapped) for each in self.permissive(case, variant))

        def recall() -> bool:
            if self._archive is None:
                return find()
            return self._archive.is_defined(case, variant, find)

        return self._once((case.id, variant, "defined"), recall)

    def locate(self, case: Case, variant: str | None, outcome: Outcome) -> Outcome:
        """The outcome of a lowered program with the places in the bytecode that it came from."""
        if variant is None or not isinstance(case, BytecodeCase):
            return outcome
        if variant not in VARIANTS or not _has_path(outcome):
            return outcome
        return self.lowered(case, variant).locate(outcome)

    def _trace(self, case: BytecodeCase) -> Trace:
        return self._once((case.id,), lambda: reference_vm.trace(case.program, self._layout))

    def _predict(self, case: ProgramCase, variant: str | None, mode: Mode) -> Prediction:
        if not isinstance(case, BytecodeCase):
            return self._examine(case.program, mode)
        assert variant is not None, "bytecode runs in a variant"
        lowered = self.lowered(case, variant)
        prediction = self._examine(lowered.program, mode)
        exact = prediction.exact
        return replace(
            prediction,
            outcome=lowered.locate(prediction.outcome),
            exact=None if exact is None else lowered.locate(exact),
        )

    def _examine(self, program: PointerProgram, mode: Mode) -> Prediction:
        """What the model says of a program, which several variants may share."""
        if not casts_integers(program):
            mode = replace(mode, provenance=Provenance.STRICT)
        order = self._layout.byte_order

        def examine_now() -> Prediction:
            return self._machine(program, mode, order)

        def find() -> Prediction:
            if self._archive is None:
                return examine_now()
            return self._archive.prediction(program, mode, order, examine_now)

        return self._once((program, mode), find)

    def _once(self, key: Hashable, find: Callable[[], Value]) -> Value:
        if key not in self._known:
            self._known[key] = find()
        # Each key stands for one kind of value, which its call site names.
        return self._known[key]  # type: ignore[return-value]


def _hangs_on_pointer_size(instruction: Instruction) -> bool:
    """Whether the instruction may do something else where pointers are of another size.

    The alignment of a `u64` is that of a pointer on some targets, and its width on others.
    """
    match instruction:
        case ReadPointer() | WritePointer():
            return True
        case Read(width=width) | Write(width=width):
            return width is Width.U64
        case _:
            return False


def _has_path(outcome: Outcome) -> bool:
    places = (getattr(outcome, name, None) for name in ("location", "created", "invalidated"))
    return any(isinstance(place, Location) and place.path is not None for place in places)


def predict_by(
    examine: Callable[[PointerProgram, Mode, ByteOrder], Judgement],
    missed_by_wildcard: Callable[[PointerProgram, Mode, Judgement, ByteOrder], ExactReading | None],
) -> Predict:
    """What an abstract machine with these two functions predicts."""

    def predict(program: PointerProgram, mode: Mode, byte_order: ByteOrder) -> Prediction:
        judgement = examine(program, mode, byte_order)
        missed = missed_by_wildcard(program, mode, judgement, byte_order)
        return Prediction(
            outcome=judgement.outcome,
            rule=judgement.rule,
            sentence=judgement.sentence,
            exact=missed.judgement.outcome if missed else None,
            open_question=missed.open_question if missed else None,
            hangs_on_addresses=judgement.hangs_on_addresses,
        )

    return predict
