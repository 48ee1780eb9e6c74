"""Keys that stand for modes in the files of cases: one mode, all of a kind, or all."""

from __future__ import annotations

from harness.mode import EVERY_MODE, MODES, Aliasing, Mode, Provenance

MODE_KEYS: tuple[dict[str, tuple[Mode, ...]], ...] = (
    {"all": MODES},
    {
        **{str(each): tuple(m for m in EVERY_MODE if m.aliasing is each) for each in Aliasing},
        **{str(each): tuple(m for m in MODES if m.provenance is each) for each in Provenance},
    },
    {str(mode): (mode,) for mode in EVERY_MODE},
)
"""Which modes a key stands for; those of a later group win over those of an earlier one."""
