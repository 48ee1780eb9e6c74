"""Assembling a campaign: the engines that this machine can be asked for."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from harness.campaign.campaign import Campaign, OwnLane
from harness.campaign.oracle import Oracle
from harness.campaign.own_variants import AbsentCrate, why_refused
from harness.engines.absent import AbsentEngine
from harness.engines.constant import ConstEngine
from harness.engines.in_process import InProcessEngine, extension
from harness.engines.miri import MiriEngine
from harness.engines.miri_batch import MiriBatchEngine
from harness.engines.native import NativeEngine
from harness.engines.own_crate import OwnCrate
from harness.evidence.archive import Archive
from harness.evidence.no_archive import NoArchive
from harness.evidence.store import Store
from harness.ledger import Ledger, entries
from harness.lowering.variants import VARIANTS
from harness.resources import rust_vm_dir
from harness.result import EngineName, Tool
from harness.toolchain.environment import cache_folder
from harness.toolchain.process import Launcher, Limits
from harness.toolchain.rust import Compiler, RustToolchain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from harness.campaign.selection import Selection
    from harness.cases.case import Case
    from harness.engines.engine import Engine
    from harness.toolchain.missing import Missing

CONFIRM_EVERY = 250
"""One of so many runs of a Miri batch, its first among them, is done again in a process of its own,
which takes as long as forty in the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A campaign, and what its engines found on this machine.

    absent: what is missing of variants that were asked for by name.
    """

    campaign: Campaign
    native: NativeEngine
    const: ConstEngine
    miri: MiriBatchEngine
    absent: tuple[Missing, ...] = ()

    def on(self, cases: Sequence[Case]) -> Setup:
        """The same for these cases."""
        return replace(self, campaign=replace(self.campaign, cases=cases))

    def missing(self) -> dict[EngineName, Missing]:
        """What is missing of the engines that were asked for."""
        selection = self.campaign.selection
        engines: list[Engine] = [self.native, self.const, self.miri]
        found = ((e.name, e.missing()) for e in engines if selection.wants_engine(e.name))
        return {name: missing for name, missing in found if missing is not None}

    def left_out(self, unseen: Collection[EngineName]) -> dict[EngineName, Missing]:
        """What is missing though it was insisted on, or though not everything is on record.

        unseen: the engines with results of which nothing ran.
        """
        insists_on = self.campaign.selection.insists_on
        missing = self.missing()
        return {e: missing[e] for e in missing if e in unseen or insists_on(e)}

    def environment(self) -> dict[str, str | None]:
        """Versions of everything that had a part in the results; null for what is missing."""
        selection = self.campaign.selection

        def version_of(engine: EngineName) -> str | None:
            wanted = selection.wants_engine(engine)
            return self.campaign.ledger.version(engine) if wanted else None

        return {
            "harness": version("harness"),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "rustc": version_of(EngineName.NATIVE),
            "toolchain": selection.toolchain,
            "miri": version_of(EngineName.MIRI),
        }


def assemble(
    cases: Sequence[Case],
    selection: Selection,
    *,
    own: Sequence[OwnCrate | AbsentCrate] = (),
    echo: Callable[[str], None] | None = None,
    own_sysroot: Path | None = None,
    level: int | None = None,
) -> Setup:
    """The campaign for `cases` and all engines; nothing is looked for or started yet.

    own: crates with variants of their own, which run beside those of the selection.
    echo: called with the shell line of each command before it starts.
    own_sysroot: where Miri's standard library is to be, where two Miris are at work at once.
    level: at which compiled code is optimised; None for that of a plain release.
    """
    launcher = Launcher(echo=echo)
    cache = cache_folder()

    def native_engine(crate: OwnCrate | None = None) -> NativeEngine:
        return NativeEngine(
            launcher,
            vm_folder=rust_vm_dir(),
            cache=cache,
            own=crate,
            level=level,
            workers=selection.jobs,
            seeds=selection.seeds,
        )

    def miri_engine(crate: OwnCrate | None = None) -> MiriBatchEngine:
        plain = MiriEngine(
            launcher,
            toolchain=selection.toolchain,
            vm_folder=rust_vm_dir(),
            cache=cache,
            workers=selection.jobs,
            limits=Limits(seconds=selection.seconds, memory=selection.memory),
            own=crate,
            own_sysroot=own_sysroot,
        )
        return MiriBatchEngine(
            launcher,
            plain,
            workers=selection.jobs,
            confirm_every=CONFIRM_EVERY,
            seeds=selection.seeds,
        )

    def lane(crate: OwnCrate | AbsentCrate) -> OwnLane:
        engines: tuple[Engine, ...]
        if isinstance(crate, AbsentCrate):
            names = (EngineName.NATIVE, EngineName.MIRI)
            engines = tuple(AbsentEngine(name=name, why=crate.missing) for name in names)
        else:
            engines = (native_engine(crate), miri_engine(crate))
        return OwnLane(names=crate.names, engines=engines, refuses=why_refused)

    crates = [crate for crate in own if isinstance(crate, OwnCrate)]
    native, miri = native_engine(), miri_engine()
    const = ConstEngine(launcher, cache=cache, workers=selection.jobs)
    # A record is of one seed.
    several = selection.seeds > 1
    archive = (
        NoArchive()
        # Records are of a plain release.
        if level is not None
        else Archive(
            Store(cache / "evidence" / "records.log"),
            vm_folder=rust_vm_dir(),
            own={name: crate.digest for crate in crates for name in crate.names},
            live=selection.live or several,
        )
    )

    def tool_of(engine: EngineName) -> Tool | None:
        if engine is EngineName.MIRI:
            return None if miri.missing() else miri.toolchain.tool
        if engine is EngineName.IN_PROCESS:
            return extension()
        if engine is EngineName.CONST:
            evaluator = const.compiler()
            if not isinstance(evaluator, Compiler):
                return None
            compiler = evaluator
        else:
            rust = native.rust()
            if not isinstance(rust, RustToolchain):
                return None
            compiler = rust.compiler
        return Tool(version=compiler.version, compiler=compiler.version, target=compiler.host)

    def version_of(engine: EngineName) -> str | None:
        tool = tool_of(engine)
        return tool.version if tool else None

    campaign = Campaign(
        cases=cases,
        selection=selection,
        variants=tuple(VARIANTS) if selection.variants is None else selection.variants,
        engines=(InProcessEngine(), native, const, miri),
        oracle=Oracle(archive),
        archive=archive,
        tool=tool_of,
        ledger=Ledger(entries=entries(), version=version_of),
        launcher=launcher,
        own=[lane(crate) for crate in own],
    )
    absent = tuple(crate.missing for crate in own if isinstance(crate, AbsentCrate))
    return Setup(campaign=campaign, native=native, const=const, miri=miri, absent=absent)
