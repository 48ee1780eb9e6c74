"""A pytest plugin: case files as tests, each a test of its own.

    # pyproject.toml
    [tool.pytest.ini_options]
    addopts = ["-p", "harness.pytest_plugin"]
    harness_cases = ["cases"]

A file that cannot be read as a case is one failing test, with the mistake and its place. All cases
of a session run together, when the first of them is due, so that engines that start up slowly do
so once; under pytest-xdist each worker runs the cases that it was handed one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from harness.campaign.assemble import assemble
from harness.campaign.selection import Selection
from harness.cases.load import load
from harness.cases.set_file import is_set
from harness.errors import InputError
from harness.lowering.variants import VARIANTS
from harness.mode import MODES, Mode, parse_mode
from harness.report.wording import details, way
from harness.result import EngineName, Verdict
from harness.toolchain.environment import processors
from harness.toolchain.miri import toolchain_name

if TYPE_CHECKING:
    from harness.cases.case import Case
    from harness.result import Result

WITHOUT_CARGO = (EngineName.REFERENCE, EngineName.MODEL, EngineName.IN_PROCESS)
"""What runs by default: milliseconds a case, and nothing has to be installed."""

SHOWN = 5
"""Results of a failing case that are told in full."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings, in pytest's configuration."""
    parser.addini("harness_cases", "Folders, case files and .jsonl sets with cases.", "paths", [])
    parser.addini("harness_engines", "Engines that run them, such as miri.", "args", [])
    parser.addini("harness_variants", "Variants that bytecode cases run in.", "args", [])
    parser.addini("harness_modes", "Modes, such as tree-strict.", "args", [])


def pytest_configure(config: pytest.Config) -> None:
    """Refuse settings that mean nothing, before anything is collected. Raises: UsageError."""
    _selection(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    """Files with cases: those that the configuration names, and those given by name."""
    if not (file_path.suffix == ".toml" or is_set(file_path)):
        return None
    named = [Path(path) for path in parent.config.getini("harness_cases")]
    given = [parent.config.invocation_params.dir / arg for arg in parent.config.args]
    inside = any(file_path == path or path in file_path.parents for path in named)
    if inside or file_path in given:
        return CaseFile.from_parent(parent, path=file_path)
    return None


class CaseFile(pytest.File):
    """A file with one case, or a set of them."""

    def collect(self) -> Iterator[CaseItem | BadCase]:
        """A test for each case, and one for each mistake."""
        loaded = load((self.path,), variants=VARIANTS)
        for case in loaded.cases:
            # Files of one name may lie in several folders.
            unique = replace(case, id=f"{self.nodeid}::{case.id}")
            yield CaseItem.from_parent(self, name=case.id, case=unique)
        for number, error in enumerate(loaded.errors, 1):
            yield BadCase.from_parent(self, name=f"mistake {number}", error=error)


class BadCase(pytest.Item):
    """A mistake in a file, as a test that fails."""

    def __init__(self, *, error: InputError, **words: Any) -> None:
        super().__init__(**words)
        self._error = error

    def runtest(self) -> None:
        """Raises: InputError."""
        raise self._error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        """The mistake with its place, and no traceback."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The place of the mistake."""
        place = self._error.place
        line = place.line - 1 if place is not None and place.line else None
        return self.path, line, self.name


class Mismatch(Exception):
    """A case does not hold."""


class CaseItem(pytest.Item):
    """A case as a test: it passes where all that was checked agrees, and something was."""

    def __init__(self, *, case: Case, **words: Any) -> None:
        super().__init__(**words)
        self.case = case

    def runtest(self) -> None:
        """Raises: Mismatch; pytest's skip, where nothing could be checked."""
        results = _results(self)
        wrong = [each for each in results if each.fault or each.verdict is Verdict.MISMATCH]
        if wrong:
            # By its own name, so that the command that repeats it finds it.
            named = [
                structs.replace(each, run=structs.replace(each.run, case=self.name))
                for each in wrong
            ]
            raise Mismatch("\n\n".join(map(_told, named[:SHOWN])) + _more(wrong))
        unchecked = [each for each in results if each.verdict is Verdict.NOT_CHECKED]
        if len(unchecked) == len(results):
            pytest.skip(unchecked[0].reason if unchecked else "no engine has this case to run")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> object:  # type: ignore[override]
        """What does not agree; a traceback only for what went wrong in the harness."""
        if isinstance(excinfo.value, Mismatch | InputError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file that the case is in."""
        return self.path, None, self.name


_RESULTS = pytest.StashKey[dict[str, list["Result"]]]()


def _results(item: CaseItem) -> list[Result]:
    """The results of the item's case, which run with all others of the session."""
    session = item.session
    if hasattr(item.config, "workerinput"):
        return _run(item.config, [item.case]).get(item.case.id, [])
    if _RESULTS not in session.stash:
        cases = {each.case.id: each.case for each in session.items if isinstance(each, CaseItem)}
        session.stash[_RESULTS] = _run(item.config, list(cases.values()))
    return session.stash[_RESULTS].get(item.case.id, [])


def _run(config: pytest.Config, cases: list[Case]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in assemble(cases, _selection(config)).campaign.results():
        found.setdefault(result.run.case, []).append(result)
    return found


def _selection(config: pytest.Config) -> Selection:
    """What the settings ask for. Raises: UsageError."""
    engines = tuple(_engine(name) for name in config.getini("harness_engines"))
    modes = tuple(_mode(name) for name in config.getini("harness_modes"))
    variants = tuple(_variant(name) for name in config.getini("harness_variants"))
    return Selection(
        variants=variants or None,
        modes=modes or MODES,
        engines=engines or WITHOUT_CARGO,
        toolchain=toolchain_name(None),
        jobs=processors(),
    )


def _engine(name: str) -> EngineName:
    return EngineName(_one_of(EngineName, "harness_engines", name))


def _variant(name: str) -> str:
    return _one_of(VARIANTS, "harness_variants", name)


def _one_of(known: Iterable[str], setting: str, name: str) -> str:
    if name not in set(known):
        words = f"{setting}: there is no {name!r}; there are {', '.join(known)}"
        raise pytest.UsageError(words)
    return name


def _mode(name: str) -> Mode:
    try:
        return parse_mode(name)
    except ValueError as error:
        raise pytest.UsageError(f"harness_modes: {error}") from error


def _told(result: Result) -> str:
    lines = [f"{way(result.run)}: {result.reason}"]
    return "\n".join(lines + [f"  {name}: {words}" for name, words in details(result)])


def _more(results: list[Result]) -> str:
    more = len(results) - SHOWN
    return f"\n\n… and {more} more" if more > 0 else ""
