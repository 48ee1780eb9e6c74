"""Engine `miri`: each job a run of a real Miri of its own.

Miri's answers are negative ones: a run without an error is "no undefined behaviour found".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from harness.bytecode.program import Program
from harness.engines.engine import Job, Observation, no_story_on
from harness.engines.miri_command import CompileFailed, Miri, Way
from harness.engines.miri_run import Runner, VmCrate
from harness.engines.own_crate import OwnCrate
from harness.engines.own_miri import compile_own
from harness.engines.vm_crate import LIBRARY, TABLE, vm_files
from harness.outcome import ToolFailed
from harness.pointer.program import PointerProgram
from harness.result import EngineName
from harness.story.block import Story
from harness.target import Target
from harness.toolchain.miri import MiriToolchain, find_miri, prepare_sysroot
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.workspace import discard_old, stage

RUN_LIMITS = Limits(seconds=60.0)
"""For one run. Endless recursion ends in Miri only when memory does, hence the limit on it."""


class MiriEngine:
    """Runs every job under Miri, several at once.

    toolchain: rustup's name of it. vm_folder: the crate of the Rust VM.
    own: a user's crate, whose variants are to run instead.
    cache: the folder that sources and compiled libraries are kept in.
    workers: runs at once. way: how Miri is called. limits: of each run.
    own_sysroot: where Miri's standard library is to be; None for where it is usually.
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        toolchain: str,
        vm_folder: Path,
        cache: Path,
        workers: int = 1,
        way: Way = Way.DRIVER,
        limits: Limits = RUN_LIMITS,
        own: OwnCrate | None = None,
        own_sysroot: Path | None = None,
    ) -> None:
        self._launcher = launcher
        self._toolchain = toolchain
        self._vm_folder = vm_folder
        self._cache = cache
        self._own_sysroot = own_sysroot
        self._workers = workers
        self._way = way
        self._limits = limits
        self._own = own
        self._own_crates: dict[str | None, VmCrate | ToolFailed] = {}
        self._miri: dict[str | None, Miri | Missing] = {}

    @property
    def name(self) -> EngineName:
        return EngineName.MIRI

    @property
    def toolchain(self) -> MiriToolchain:
        """The Miri that runs. Raises: MissingTool."""
        return self.miri().toolchain

    def missing(self) -> Missing | None:
        """What has to be installed before anything can run; None if nothing.

        Where Miri is here and its sysroot is not, this builds it, in about a minute.
        """
        miri = self._prepare()
        return miri if isinstance(miri, Missing) else None

    def refuses(self, job: Job) -> str | None:
        """Why this Miri cannot do the job; None if it can. Raises: MissingTool."""
        if job.mode is None:
            return "Miri judges in a mode, and the job has none"
        return self.toolchain.lacks(job.mode) or self._lacks_target(job)

    def _lacks_target(self, job: Job) -> str | None:
        target = job.target
        if target is None:
            return None
        if isinstance(job.program, Story):
            return no_story_on(target)
        if isinstance(job.program, PointerProgram) and (why := target.lacks_pointers()):
            return why
        miri = self._prepare(target)
        return f"{target}: {miri.message}" if isinstance(miri, Missing) else None

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs; see `harness.engines.engine.Engine`. Raises: MissingTool."""
        for target, of_target in by_target(jobs):
            yield from self._run(target, of_target)

    def _run(self, target: Target | None, jobs: Sequence[Job]) -> Iterator[Observation]:
        in_vm = any(isinstance(job.program, Program) for job in jobs)
        crate = self.vm_crate(target) if in_vm else None
        launcher = self._launcher.fork()
        runner = self.runner(launcher, target)
        pool = ThreadPoolExecutor(self._workers)
        try:
            futures = [pool.submit(run_plainly, runner, crate, job) for job in jobs]
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            # Ctrl-C, or whoever iterates has had enough: what still runs is ended.
            launcher.cancel()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def confirm(self, seen: Observation) -> Observation:
        """See `harness.engines.engine.Engine`; no run of this engine is plainer."""
        return seen

    def miri(self, target: Target | None = None) -> Miri:
        """The Miri that runs, with its sysroot. target: None is the host. Raises: MissingTool."""
        miri = self._prepare(target)
        if isinstance(miri, Missing):
            raise miri.error()
        return miri

    def runner(self, launcher: Launcher, target: Target | None = None) -> Runner:
        """What runs single jobs, and starts their processes by `launcher`. Raises: MissingTool."""
        return Runner(launcher=launcher, miri=self.miri(target), limits=self._limits)

    def vm_crate(self, target: Target | None = None) -> VmCrate | ToolFailed:
        """The Rust VM, compiled for Miri if need be. Raises: MissingTool."""
        miri = self.miri(target)
        if self._own is not None:
            if miri.target not in self._own_crates:
                # Kept even where it fails: each finding asks again.
                self._own_crates[miri.target] = compile_own(self._launcher, miri, self._own)
            return self._own_crates[miri.target]
        folder = stage(vm_files(self._vm_folder), miri.sources)
        if self._way is Way.CARGO:
            return VmCrate(folder=folder, externs={})
        library = miri.compile_library(self._launcher, folder, LIBRARY)
        if isinstance(library, CompileFailed):
            return ToolFailed(message=library.message)
        return VmCrate(folder=folder, externs={LIBRARY: library, TABLE: library})

    def _prepare(self, target: Target | None = None) -> Miri | Missing:
        triple = None if target is None else target.triple
        if triple not in self._miri:
            self._miri[triple] = self._find() if triple is None else self._find_for(triple)
        return self._miri[triple]

    def _find(self) -> Miri | Missing:
        toolchain = find_miri(self._launcher, self._toolchain, self._own_sysroot)
        if isinstance(toolchain, Missing):
            return toolchain
        sysroot = prepare_sysroot(self._launcher, toolchain)
        if isinstance(sysroot, Missing):
            return sysroot
        discard_old(self._cache)
        return Miri(toolchain=toolchain, sysroot=sysroot, cache=self._cache, way=self._way)

    def _find_for(self, triple: str) -> Miri | Missing:
        """The host's, with the sysroot of another target."""
        miri = self._prepare()
        if isinstance(miri, Missing):
            return miri
        sysroot = prepare_sysroot(self._launcher, miri.toolchain, triple)
        if isinstance(sysroot, Missing):
            return sysroot
        return replace(miri, sysroot=sysroot, target=triple)


def by_target(jobs: Sequence[Job]) -> list[tuple[Target | None, list[Job]]]:
    """The jobs of each target: no process runs for two."""
    found: dict[Target | None, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.target, []).append(job)
    return list(found.items())


def run_plainly(runner: Runner, crate: VmCrate | ToolFailed | None, job: Job) -> Observation:
    """Do one job in a process of its own. crate: needed for bytecode."""
    if isinstance(job.program, Story):
        return runner.run_story(job, job.program)
    if not isinstance(job.program, Program):
        return runner.run_pointer_program(job, job.program)
    if isinstance(crate, ToolFailed):
        return Observation(job=job, outcome=crate)
    assert crate is not None, "the crate is prepared where a job needs it"
    return runner.run_in_vm(crate, job, job.program)
