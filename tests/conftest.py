"""Settings of all tests."""

import os
import signal

import pytest
from hypothesis import settings

from harness.toolchain.miri import TOOLCHAIN_VARIABLE

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")

# Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and so would
# every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what is marked `miri` where no toolchain with one is named.

    What is marked `miri(or_nightly=True)` looks by itself, and takes that of `nightly` then.
    """
    if TOOLCHAIN_VARIABLE not in os.environ:
        skip = pytest.mark.skip(reason=f"{TOOLCHAIN_VARIABLE} names no toolchain")
        for item in items:
            marker = item.get_closest_marker("miri")
            if marker is not None and not marker.kwargs.get("or_nightly"):
                item.add_marker(skip)
