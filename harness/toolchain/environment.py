"""What the machine gives: the compilers' environment, without what would change their meaning."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

# Each of these makes cargo, rustc or Miri another program, or gives it other flags.
_MEANING = re.compile(
    r"""
      (CARGO_BUILD_)?RUSTC | (CARGO_BUILD_)?RUSTC_WRAPPER | (CARGO_BUILD_)?RUSTC_WORKSPACE_WRAPPER
    | RUSTDOC | RUSTC_STAGE | RUSTC_BOOTSTRAP | RUSTC_FORCE_.* | RUSTC_LOG | RUST_LOG
    | (CARGO_BUILD_|CARGO_ENCODED_)?RUST(DOC)?FLAGS | CARGO_TARGET_.* | CARGO_PROFILE_.*
    | CARGO_BUILD_(TARGET|TARGET_DIR|BUILD_DIR|DEP_INFO_BASEDIR|INCREMENTAL) | CARGO_INCREMENTAL
    | CARGO_UNSTABLE_.* | CARGO_MANIFEST_DIR | CARGO_MAKEFLAGS | MAKEFLAGS
    | RUST_(LIB_)?BACKTRACE | RUST_MIN_STACK
    | MIRI | MIRIFLAGS | MIRI_(?!SYSROOT$|LIB_SRC$).* | RUSTUP_TOOLCHAIN
    """,
    re.VERBOSE,
)

# What a process needs to start, and Miri's own.
_BARE = re.compile(r"PATH|HOME|TE?MP|TMPDIR|SYSTEMROOT|(DY)?LD_.*|MIRI_.*", re.IGNORECASE)

_SETTINGS = {
    # Messages are read, not shown; and nothing is installed without being asked for.
    "CARGO_TERM_COLOR": "never",
    "CARGO_TERM_PROGRESS_WHEN": "never",
    "RUSTUP_AUTO_INSTALL": "0",
}


def clean_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment to call cargo, rustc and Miri in, with `settings` on top."""
    kept = {name: value for name, value in os.environ.items() if not _MEANING.fullmatch(name)}
    return {**kept, **_SETTINGS, **(settings or {})}


def bare_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What Miri cannot do without of an environment that it is to be called in."""
    return {name: value for name, value in environment.items() if _BARE.fullmatch(name)}


def processors() -> int:
    """How many processors this process may use: the number of processes at once by default."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> Path:
    """Where builds are kept between runs: `$XDG_CACHE_HOME/harness`, or `~/.cache/harness`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification has a relative path ignored.
    folder = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return folder / "harness"
