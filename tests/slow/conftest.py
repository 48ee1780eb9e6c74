"""What slow tests share: the real Miri that is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.toolchain.miri import TOOLCHAIN_VARIABLE, MiriToolchain, find_miri, prepare_sysroot
from harness.toolchain.process import Launcher


@pytest.fixture(scope="session")
def miri_toolchain() -> MiriToolchain:
    """For tests marked `miri`: what is named has to be there."""
    found = find_miri(Launcher(), os.environ[TOOLCHAIN_VARIABLE])
    assert isinstance(found, MiriToolchain), found
    return found


@pytest.fixture(scope="session")
def miri_sysroot(miri_toolchain: MiriToolchain) -> Path:
    """Its own standard library, which takes a minute to build where it is missing."""
    found = prepare_sysroot(Launcher(), miri_toolchain)
    assert isinstance(found, Path), found
    return found
