"""Engine `miri`: each job a run of a real Miri of its own.

Miri's answers are negative ones: a run without an error is "no undefined behaviour found".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from harness.bytecode.program import Program
from harness.engines.engine import Job, Observation
from harness.engines.miri_command import CompileFailed, Miri, Way
from harness.engines.miri_run import Runner, VmCrate
from harness.engines.own_crate import OwnCrate
from harness.engines.own_miri import compile_own
from harness.engines.vm_crate import LIBRARY, TABLE, vm_files
from harness.outcome import ToolFailed
from harness.result import EngineName
from harness.story.block import Story
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
        self._own_crate: VmCrate | ToolFailed | None = None
        self._miri: Miri | Missing | None = None

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
        return self.toolchain.lacks(job.mode)

    def run(self, jobs: Sequence[Job]) -> Iterator[Observation]:
        """Do all jobs; see `harness.engines.engine.Engine`. Raises: MissingTool."""
        in_vm = any(isinstance(job.program, Program) for job in jobs)
        crate = self.vm_crate() if in_vm else None
        launcher = self._launcher.fork()
        runner = self.runner(launcher)
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

    def miri(self) -> Miri:
        """The Miri that runs, with its sysroot. Raises: MissingTool."""
        miri = self._prepare()
        if isinstance(miri, Missing):
            raise miri.error()
        return miri

    def runner(self, launcher: Launcher) -> Runner:
        """What runs single jobs, and starts their processes by `launcher`. Raises: MissingTool."""
        return Runner(launcher=launcher, miri=self.miri(), limits=self._limits)

    def vm_crate(self) -> VmCrate | ToolFailed:
        """The Rust VM, compiled for Miri if need be. Raises: MissingTool."""
        miri = self.miri()
        if self._own is not None:
            if self._own_crate is None:
                # Kept even where it fails: each finding asks again.
                self._own_crate = compile_own(self._launcher, miri, self._own)
            return self._own_crate
        folder = stage(vm_files(self._vm_folder), miri.sources)
        if self._way is Way.CARGO:
            return VmCrate(folder=folder, externs={})
        library = miri.compile_library(self._launcher, folder, LIBRARY)
        if isinstance(library, CompileFailed):
            return ToolFailed(message=library.message)
        return VmCrate(folder=folder, externs={LIBRARY: library, TABLE: library})

    def _prepare(self) -> Miri | Missing:
        if self._miri is None:
            self._miri = self._find()
        return self._miri

    def _find(self) -> Miri | Missing:
        toolchain = find_miri(self._launcher, self._toolchain, self._own_sysroot)
        if isinstance(toolchain, Missing):
            return toolchain
        sysroot = prepare_sysroot(self._launcher, toolchain)
        if isinstance(sysroot, Missing):
            return sysroot
        discard_old(self._cache)
        return Miri(toolchain=toolchain, sysroot=sysroot, cache=self._cache, way=self._way)


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
