"""`python -m tests.fuzz TARGET…`: a coverage-guided fuzzer on what reads a user's bytes.

Needs atheris: `pip install -e '.[fuzz]'`. An input that breaks a target is written to a file and
named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

LONGEST = 4096
"""Bytes of an input."""

SLOWEST = 10
"""Seconds that one input may take; more is a hang."""

MEMORY = 2048
"""MiB that the fuzzer may use, all inputs together."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"), help="where to write")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return fuzz(options.one, options.seconds, options.found)
    from tests.fuzz.targets import TARGETS

    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target {unknown[0]!r}; there are {', '.join(TARGETS)}")
    options.found.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in options.targets or TARGETS:
        words = ("--one", name, "--seconds", str(options.seconds), "--found", str(options.found))
        # A fuzzer ends its process.
        done = subprocess.run([sys.executable, "-m", "tests.fuzz", *words], check=False)
        print(f"{name}: {'nothing found' if done.returncode == 0 else 'BROKEN'}", flush=True)
        failed += [name] if done.returncode else []
    return 1 if failed else 0


def fuzz(name: str, seconds: int, found: Path) -> int:
    """Fuzz one target for so long; comes back only where nothing can be fuzzed.

    Nothing of the harness has been imported before: only what is imported here is instrumented.
    """
    import atheris

    with atheris.instrument_imports(include=["harness", "tests.fuzz.targets"]):
        from tests.fuzz.targets import TARGETS, seeds

    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(seeds(name)):
            if len(data) <= LONGEST:
                (corpus / f"seed-{number}").write_bytes(data)
        arguments = [
            sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-max_len={LONGEST}",
            f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={found}/{name}-",
            "-print_final_stats=1",
        ]  # fmt: skip
        atheris.Setup(arguments, TARGETS[name])
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
