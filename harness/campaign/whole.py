"""Whole runs: all that decides what a run comes to in which everything is settled.

Where nothing of it changed, neither is a case read nor a result looked at.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.engines.in_process import extension

if TYPE_CHECKING:
    from harness.campaign.assemble import Setup
    from harness.cases.sources import Sources


def scope_of(setup: Setup, sources: Sources) -> str:
    """All that decides a run of the cases in the sources, but for what has run since.

    setup: may be without any case yet.
    """
    campaign = setup.campaign
    selection = campaign.selection
    wanted = [engine for engine in campaign.engines if selection.wants_engine(engine.name)]
    with ThreadPoolExecutor() as pool:
        # Tools take their time to say that they are there.
        missing = pool.map(lambda engine: engine.missing(), wanted)
        beside = [campaign.archive.evidence_of(path) for path in sources.paths]
        tools = [
            (engine.name, lacks, None if lacks else campaign.tool(engine.name))
            for engine, lacks in zip(wanted, missing, strict=True)
        ]
    return repr(
        (
            *(sources.digest, beside, tools, extension()),
            *(campaign.variants, replace(selection, jobs=1)),
        )
    )
