"""Engine `miri`: each job a run of a real Miri of its own.

Miri's answers are negative ones: a run without an error is "no undefined behaviour found".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from harness.bytecode.program import Program
from harness.engines.engine import Job, Observation
from harness.engines.miri_command import Miri, Way
from harness.engines.miri_run import Runner, VmCrate
from harness.engines.vm_crate import LIBRARY, vm_files
from harness.outcome import ToolFailed
from harness.result import EngineName
from harness.toolchain.miri import MiriToolchain, find_miri, prepare_sysroot
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.workspace import stage

RUN_LIMITS = Limits(seconds=60.0)
"""For one run. Endless recursion ends in Miri only when memory does, hence the limit on it."""


class MiriEngine:
    """Runs every job under Miri, several at once.

    toolchain: rustup's name of it. vm_folder: the crate of the Rust VM.
    cache: the folder that sources and compiled libraries are kept in.
    workers: runs at once. way: how Miri is called. limits: of each run.
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
    ) -> None:
        self._launcher = launcher
        self._toolchain = toolchain
        self._vm_folder = vm_folder
        self._cache = cache
        self._workers = workers
        self._way = way
        self._limits = limits
        self._miri: Miri | Missing | None = None

    @property
    def name(self) -> EngineName:
        return EngineName.MIRI

    @property
    def toolchain(self) -> MiriToolchain:
        """The Miri that runs. Raises: MissingTool."""
        return self._found().toolchain

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
        miri = self._found()
        in_vm = any(isinstance(job.program, Program) for job in jobs)
        crate = self._prepare_vm(miri) if in_vm else None
        launcher = self._launcher.fork()
        runner = Runner(launcher=launcher, miri=miri, limits=self._limits)
        pool = ThreadPoolExecutor(self._workers)
        try:
            futures = [pool.submit(_run_one, runner, crate, job) for job in jobs]
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            # Ctrl-C, or whoever iterates has had enough: what still runs is ended.
            launcher.cancel()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _prepare(self) -> Miri | Missing:
        if self._miri is None:
            self._miri = self._find()
        return self._miri

    def _find(self) -> Miri | Missing:
        toolchain = find_miri(self._launcher, self._toolchain)
        if isinstance(toolchain, Missing):
            return toolchain
        sysroot = prepare_sysroot(self._launcher, toolchain)
        if isinstance(sysroot, Missing):
            return sysroot
        return Miri(toolchain=toolchain, sysroot=sysroot, cache=self._cache, way=self._way)

    def _found(self) -> Miri:
        miri = self._prepare()
        if isinstance(miri, Missing):
            raise miri.error()
        return miri

    def _prepare_vm(self, miri: Miri) -> VmCrate | ToolFailed:
        folder = stage(vm_files(self._vm_folder), miri.sources)
        if self._way is Way.CARGO:
            return VmCrate(folder=folder, externs={})
        library = miri.compile_library(self._launcher, folder, LIBRARY)
        if isinstance(library, ToolFailed):
            return library
        return VmCrate(folder=folder, externs={LIBRARY: library})


def _run_one(runner: Runner, crate: VmCrate | ToolFailed | None, job: Job) -> Observation:
    if not isinstance(job.program, Program):
        return runner.run_pointer_program(job, job.program)
    if isinstance(crate, ToolFailed):
        return Observation(job=job, outcome=crate)
    assert crate is not None, "the crate is prepared where a job needs it"
    return runner.run_in_vm(crate, job, job.program)
