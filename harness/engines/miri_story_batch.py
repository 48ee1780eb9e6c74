"""Stories, many to one library, and the library interpreted in every mode.

Each is told in an interpreter of its own, and says on standard error, among Miri's messages,
what it begins; how it ended is a record like any other. Stories that end the program, or whose
threads are tried under many seeds, are told alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.diagnostics.message import Transcript
from harness.engines.engine import Job, Observation
from harness.engines.miri_command import CompileFailed, Miri
from harness.engines.miri_items import MAINS, Batch, Item
from harness.engines.miri_libraries import compile_together
from harness.engines.miri_records import Ended
from harness.engines.miri_run import Runner, run_flags
from harness.engines.miri_segments import Attributed
from harness.engines.story_miri import STORY_FLAGS, read_story_run
from harness.outcome import Outcome
from harness.story.block import Story
from harness.story.listing import Listing
from harness.story.miri_rust import batch_files, library_files, module_file, write_told
from harness.story.rules import breach_by_name
from harness.toolchain.process import Launcher
from harness.toolchain.workspace import stage

LIBRARY = "harness_stories"
"""As `batch_main.rs` calls it."""


def tells_in_batch(program: object) -> bool:
    """Whether it is a story that can be told in a process of many."""
    return (
        isinstance(program, Story)
        and not program.litmus
        and all(block.returns for block in program.blocks)
        and breach_by_name(program) is None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Stories compiled together. listings: of each, in their order; library: where."""

    stories: tuple[Story, ...]
    listings: tuple[Listing, ...]
    library: Path


def compile_stories(launcher: Launcher, miri: Miri, stories: Sequence[Story]) -> Iterator[Told]:
    """Compile all stories in as few libraries as can be: see `compile_together`."""

    def compile_some(stories: Sequence[Story]) -> Told | set[int]:
        listings = tuple(write_told(story, in_library=True) for story in stories)
        folder = stage(library_files(listings), miri.sources)
        library = miri.compile_library(launcher, folder, LIBRARY)
        if isinstance(library, CompileFailed):
            return _culprits(library, len(stories))
        return Told(stories=tuple(stories), listings=listings, library=library)

    return compile_together(stories, compile_some)


def run_stories(
    runner: Runner,
    told: Told,
    jobs: Mapping[int, Job],
    begun: dict[int, int],
    tell: Callable[[int, Observation], None],
) -> None:
    """Run jobs of one mode, by number, and tell what each came to, as soon as it is certain.

    A number that is not told of is to be run plainly. begun: receives the seed under which each
    began.
    """
    choices = {story: choice for choice, story in enumerate(told.stories)}
    items = {number: Item(choice=choices[_story(job)]) for number, job in jobs.items()}
    batch = Batch(
        launcher=runner.launcher,
        miri=runner.miri,
        folder=stage(batch_files((MAINS / "stream.rs").read_bytes()), runner.miri.sources),
        externs={LIBRARY: told.library},
        flags=(*run_flags(next(iter(jobs.values()))), *STORY_FLAGS),
        limits=runner.limits,
        begun=begun,
    )
    repeat = batch.repeater()

    def hear(seen: Attributed) -> None:
        outcome = _outcome(told, seen, items[seen.item].choice)
        if outcome is not None:
            command = repeat(seen, items[seen.item])
            job = jobs[seen.item]
            tell(
                seen.item,
                Observation(job=job, outcome=outcome, command=command, seed=seen.seed),
            )

    batch.interpret(items, hear)


def _culprits(failed: CompileFailed, count: int) -> set[int]:
    choices = {module_file(choice): choice for choice in range(count)}
    files = [message.span.file for message in failed.errors if message.span]
    return {choices[file] for file in files if file in choices}


def _story(job: Job) -> Story:
    assert isinstance(job.program, Story)
    return job.program


def _outcome(told: Told, seen: Attributed, choice: int) -> Outcome | None:
    """None if the error is in the lines of another story."""
    listing, file = told.listings[choice], module_file(choice)
    if isinstance(seen.said, Ended):
        said = seen.said.memory.decode(errors="replace")
        nothing = Transcript(entries=())
        return read_story_run(said, nothing, None, listing, file, in_seeds=False)
    transcript, failure = seen.said.transcript, seen.said.failure
    for frame in failure.frames:
        if frame.span.file.startswith("src/story_") and frame.span.file != file:
            return None
    said = "\n".join(entry for entry in transcript.entries if isinstance(entry, str))
    return read_story_run(said, transcript, failure, listing, file, in_seeds=False)
