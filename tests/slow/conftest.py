"""What slow tests share: the real Miri that is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.toolchain.miri import TOOLCHAIN_VARIABLE, MiriToolchain, need_miri
from harness.toolchain.process import Launcher


@pytest.fixture(scope="session")
def miri_toolchain() -> MiriToolchain:
    """For tests marked `miri`: what is named has to be there."""
    return need_miri(Launcher(), os.environ[TOOLCHAIN_VARIABLE])[0]


@pytest.fixture(scope="session")
def miri_sysroot() -> Path:
    """Its own standard library, which takes a minute to build where it is missing."""
    return need_miri(Launcher(), os.environ[TOOLCHAIN_VARIABLE])[1]
