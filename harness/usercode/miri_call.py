"""How Miri is asked about code of the user's: by cargo for a crate, by the driver for a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import msgspec

from harness.diagnostics.message import read_json
from harness.errors import InputError
from harness.toolchain.command import Command
from harness.toolchain.environment import clean_environment
from harness.toolchain.miri import MiriToolchain
from harness.toolchain.process import Ending, Launcher, Limits
from harness.usercode.target import Crate, RustFile, RustTest, Target

BUILD_LIMITS = Limits(seconds=1800.0, output=16 << 20)

# The crate is the user's, and so is what he builds it with; what changes Miri is ours.
_OF_THE_USER = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_BOOTSTRAP")

LIST_LIMITS = Limits(seconds=300.0)

_ONLY_BUILD = "--print=sysroot"
"""For cargo-miri, which cannot build alone: Miri answers this without interpreting anything."""


CRATE_HINT = "mend it as the compiler says; --features and --toolchain name others"
"""What to do about a crate that does not build."""

_NO_MAIN = "error[E0601]"


def in_words(stderr: str) -> str:
    """What a compiler said in JSON as it says it to people; all else as it is."""
    lines = []
    for line in stderr.splitlines(keepends=True):
        try:
            lines.append(_decoder.decode(line.encode()).rendered)
        except msgspec.DecodeError:
            lines.append(line)
    return "".join(lines)


class _Rendered(msgspec.Struct):
    rendered: str


_decoder = msgspec.json.Decoder(_Rendered)


class NotBuilt(InputError):
    """The code does not compile: the compiler's own words, as they are."""

    def __init__(self, said: str, *, command: str, hint: str = "") -> None:
        """hint: what may mend it, besides the code."""
        self.said = said
        remedy = f"{hint}\n  to repeat it: {command}" if hint else f"to repeat it: {command}"
        super().__init__(None, "it does not build for Miri", remedy)


class NotListed(InputError):
    """A target does not say which tests it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MiriCall:
    """A target, and the Miri that interprets it. extra: more flags for Miri, from the user."""

    toolchain: MiriToolchain
    sysroot: Path
    target: Target
    extra: tuple[str, ...] = ()

    def command(
        self,
        flags: Sequence[str],
        arguments: Sequence[str],
        *,
        of: Sequence[str] = (),
        for_people: bool = False,
    ) -> Command:
        """The command that interprets the program, or its tests, with these flags of Miri's.

        of: cargo's words for the target with the tests. for_people: whether people read what it
        says, and not this program.
        """
        flags = (*flags, *self.extra, *(() if for_people else ("--error-format=json",)))
        match self.target:
            case RustFile():
                return self._driver(self.target, flags, arguments)
            case Crate():
                return self._cargo(self.target, flags, (*of, "--", *arguments))
            case _:
                assert_never(self.target)

    def build(self, launcher: Launcher) -> None:
        """Compile what comes before anything is interpreted.

        The binary of a crate itself is compiled by Miri, whenever it interprets it.

        Raises: NotBuilt; InputError, for flags that Miri does not know.
        """
        self._try_flags(launcher)
        match self.target:
            case RustFile():
                with tempfile.TemporaryDirectory(prefix="harness-check-") as folder:
                    self._run_build(launcher, self._compile(self.target, Path(folder)))
            case Crate():
                all_of_it = ("--tests",) if self.target.tests else ()
                command = self._cargo(self.target, (_ONLY_BUILD,), all_of_it, quiet=False)
                self._run_build(launcher, command)
            case _:
                assert_never(self.target)

    def tests(self, launcher: Launcher) -> tuple[tuple[RustTest, ...], tuple[NotListed, ...]]:
        """All tests, and the targets that do not say theirs, such as those without a harness.

        Raises: NotBuilt; NotListed, if no target says any.
        """
        targets = self.target.test_targets if isinstance(self.target, Crate) else ((),)
        found: list[RustTest] = []
        silent: list[NotListed] = []
        for words in targets:
            try:
                found += self._list(launcher, words)
            except NotListed as error:
                silent.append(error)
        if silent and not found:
            raise silent[0]
        return tuple(found), tuple(silent)

    def _list(self, launcher: Launcher, words: tuple[str, ...]) -> Iterator[RustTest]:
        names = self._names(launcher, words)
        # A listing does not say of a test whether it is marked so.
        ignored = set(self._names(launcher, words, "--ignored")) if names else ()
        for name in names:
            yield RustTest(name=name, words=words, ignored=name in ignored)

    def _names(self, launcher: Launcher, words: tuple[str, ...], *only: str) -> Sequence[str]:
        command = self.command((), ("--list", "--format", "terse", *only), of=words)
        done = launcher.run(command, limits=LIST_LIMITS)
        if not done.succeeded:
            said = in_words(done.errors)
            if any(message.is_error for message in read_json(done.stderr).messages):
                raise self.not_built(said, command)
            of = f" of {' '.join(words)}" if words else ""
            message = f"the tests{of} cannot be listed: {done.describe_ending()}\n{said[-2000:]}"
            raise NotListed(None, message, f"to repeat it: {command.shell()}")
        lines = done.output.splitlines()
        return [line.removesuffix(": test") for line in lines if line.endswith(": test")]

    def _try_flags(self, launcher: Launcher) -> None:
        command = Command(
            argv=(str(self.toolchain.driver), *self.extra, _ONLY_BUILD),
            environment=clean_environment(user_settings()),
        )
        done = launcher.run(command, limits=LIST_LIMITS)
        if not done.succeeded:
            message = f"--miri-flag: Miri refuses it: {done.errors.strip()}"
            raise InputError(None, message, f"to repeat it: {command.shell()}")

    def _run_build(self, launcher: Launcher, command: Command) -> None:
        done = launcher.run(command, limits=BUILD_LIMITS)
        if not done.succeeded:
            ending = "" if done.ending is Ending.EXITED else f"{done.describe_ending()}\n"
            raise self.not_built(f"{ending}{done.errors}", command)

    def not_built(self, said: str, command: Command) -> NotBuilt:
        """What to raise where the target does not compile. said: by the compiler, or by cargo."""
        match self.target:
            case RustFile():
                hint = f"it is read as Rust {self.target.edition}: --edition names another"
                if _NO_MAIN in said and not self.target.tests:
                    hint = "--test '*' checks the tests of a file without a main function"
            case Crate():
                hint = CRATE_HINT
            case _:
                assert_never(self.target)
        return NotBuilt(said, command=command.shell(), hint=hint)

    def _driver(self, file: RustFile, flags: Sequence[str], arguments: Sequence[str]) -> Command:
        return Command(
            argv=(
                *(str(self.toolchain.driver), "--sysroot", str(self.sysroot)),
                *("--edition", file.edition, *(("--test",) if file.tests else ()), *flags),
                *(file.path.name, "--", *arguments),
            ),
            cwd=file.root,
            environment=clean_environment(user_settings()),
        )

    def _compile(self, file: RustFile, folder: Path) -> Command:
        return Command(
            argv=(
                *(str(self.toolchain.driver), "--sysroot", str(self.sysroot)),
                *("--edition", file.edition, *(("--test",) if file.tests else ())),
                *("--emit", "metadata", "--out-dir", str(folder), file.path.name),
            ),
            cwd=file.root,
            environment=clean_environment({**user_settings(), "MIRI_BE_RUSTC": "target"}),
        )

    def _cargo(
        self, crate: Crate, flags: Sequence[str], words: Sequence[str], *, quiet: bool = True
    ) -> Command:
        return Command(
            argv=(
                *("cargo", f"+{self.toolchain.name}", "miri", "test" if crate.tests else "run"),
                *(("--quiet",) if quiet else ()),
                *("--target-dir", str(crate.target), *crate.words, *words),
            ),
            cwd=crate.root,
            environment=clean_environment(
                {
                    **user_settings(),
                    "MIRIFLAGS": " ".join(flags),
                    "MIRI_SYSROOT": str(self.sysroot),
                }
            ),
        )


def user_settings() -> dict[str, str]:
    """The variables of the environment that belong to how the user builds his crate."""
    return {name: os.environ[name] for name in _OF_THE_USER if name in os.environ}
