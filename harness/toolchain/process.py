"""The one door to other programs: started in a session of their own, with limits, and ended.

cargo, cargo-miri and Miri are a tree of processes, so that limits hold for the tree and what
ends is the whole group. A grandchild that outlives the program and keeps its pipes open
delays nothing: after the program's end the pipes are drained for a moment and closed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Self, cast

from harness.toolchain.command import Command

TICK = 0.1
"""Seconds between two looks at the memory and at a wish to cancel."""

PATIENCE = 0.5
"""Seconds between SIGTERM and SIGKILL, and the most for draining the pipes after the end."""

LOOK_AROUND = 1.0
"""Seconds between two looks at which processes there are in the tree: that costs milliseconds."""

BREATH = 0.01
"""Seconds between two turns with a listener: a turn for each write costs more than the writes."""

MEBIBYTE = 1 << 20


class Ending(StrEnum):
    """Why a program is no longer running: it ended, or it went over a limit."""

    EXITED = "exited"
    TIME = "time"
    SILENCE = "silence"
    MEMORY = "memory"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program and all its children together may use; None is no limit.

    seconds: wall-clock time from start to end.
    silence: seconds without a byte of output; for programs that report as they go.
    memory: resident bytes of the whole tree, looked at every `TICK` seconds, and with those who
    are new to it every `LOOK_AROUND`; pages that several processes share count once for each.
    output: bytes on either of stdout and stderr.
    """

    seconds: float | None = 60.0
    silence: float | None = None
    memory: int | None = 4096 * MEBIBYTE
    output: int | None = 64 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program did.

    exit_code: its status, or minus the number of the signal that ended it.
    ending: EXITED, or the limit for which it was ended; then the output is what came so far.
    """

    command: Command
    exit_code: int
    ending: Ending
    stdout: bytes
    stderr: bytes
    seconds: float
    limits: Limits

    @property
    def succeeded(self) -> bool:
        return self.ending is Ending.EXITED and self.exit_code == 0

    @property
    def output(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def errors(self) -> str:
        return self.stderr.decode(errors="replace")

    def describe_ending(self) -> str:
        """How it ended, in a few words."""
        match self.ending:
            case Ending.TIME:
                return f"still running after {self.limits.seconds:g} s"
            case Ending.SILENCE:
                return f"no output for {self.limits.silence:g} s"
            case Ending.MEMORY:
                return f"more than {(self.limits.memory or 0) // MEBIBYTE} MiB of memory in use"
            case Ending.OUTPUT:
                return f"more than {(self.limits.output or 0) // MEBIBYTE} MiB of output"
            case Ending.EXITED if self.exit_code < 0:
                return f"ended by {_signal_name(-self.exit_code)}"
            case Ending.EXITED:
                return f"exit code {self.exit_code}"


Listener = Callable[[bytearray, bytearray], None]
"""Is told all that a program has written so far: standard output, standard error."""


class Cancelled(Exception):
    """Raised by `Launcher.run` in every thread once `Launcher.cancel` was called."""


class Launcher:
    """Starts programs and waits for them; one launcher serves many threads.

    echo: called with the shell line of each command before it starts, for `-v`.
    """

    def __init__(
        self, *, echo: Callable[[str], None] | None = None, parent: Launcher | None = None
    ) -> None:
        self._echo = echo
        self._parent = parent
        self._wish = threading.Event()

    def fork(self) -> Launcher:
        """A launcher that can be cancelled alone, and is cancelled with this one."""
        return Launcher(echo=self._echo, parent=self)

    def cancel(self) -> None:
        """End whatever runs, within a moment, and start nothing more."""
        self._wish.set()

    def is_cancelled(self) -> bool:
        """Whether `cancel` was called, here or where this was forked from."""
        return self._wish.is_set() or (self._parent is not None and self._parent.is_cancelled())

    def run(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        limits: Limits | None = None,
        listener: Listener | None = None,
    ) -> Completed:
        """Start the program, feed it `stdin`, and wait for its end.

        listener: is called now and then with what the program has written so far.

        Raises: FileNotFoundError, if there is no such program or folder; Cancelled;
        KeyboardInterrupt, after the program and its children were ended.
        """
        limits = limits or Limits()
        if self.is_cancelled():
            raise Cancelled
        if self._echo:
            self._echo(command.shell())
        started = time.monotonic()
        process = _start(command, has_stdin=bool(stdin))
        try:
            with _Watch(process=process, stdin=stdin, limits=limits) as watch:
                ending = watch.follow(started, self.is_cancelled, listener)
                _end_group(process, gently=ending is not Ending.EXITED)
                watch.drain()
        except BaseException:
            # KeyboardInterrupt or Cancelled: nothing that was started stays behind.
            _end_group(process)
            raise
        return Completed(
            command=command,
            exit_code=process.returncode,
            ending=ending,
            stdout=bytes(watch.stdout),
            stderr=bytes(watch.stderr),
            seconds=time.monotonic() - started,
            limits=limits,
        )


class _Watch:
    """One running program: its pipes, and the limits that it is held to."""

    def __init__(self, *, process: subprocess.Popen[bytes], stdin: bytes, limits: Limits) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._process = process
        self._limits = limits
        self._unsent = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        self._heard = time.monotonic()
        self._streams: list[IO[bytes]] = [process.stdout, process.stderr]
        self._readers = {process.stdout: self.stdout, process.stderr: self.stderr}
        for stream in self._readers:
            self._register(stream, selectors.EVENT_READ)
            _widen(stream)
        if process.stdin:
            self._streams.append(process.stdin)
            self._register(process.stdin, selectors.EVENT_WRITE)
        self._exit_descriptor = _open_exit_descriptor(process.pid)
        if self._exit_descriptor is not None:
            self._selector.register(self._exit_descriptor, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        if self._exit_descriptor is not None:
            os.close(self._exit_descriptor)
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()

    def follow(
        self, started: float, is_cancelled: Callable[[], bool], listener: Listener | None
    ) -> Ending:
        """Move bytes until the program ends or goes over a limit. Raises: Cancelled."""
        tick = TICK if self._exit_descriptor is not None else TICK / 20
        looked, looked_around = started, started - LOOK_AROUND
        tree = [self._process.pid]
        while True:
            self._move_bytes(self._wait(tick, started))
            if listener:
                listener(self.stdout, self.stderr)
                time.sleep(BREATH)
            now = time.monotonic()
            if self._over_output():
                return Ending.OUTPUT
            if _has_exited(self._process.pid):
                return Ending.EXITED
            if is_cancelled():
                raise Cancelled
            if self._limits.seconds is not None and now - started > self._limits.seconds:
                return Ending.TIME
            if self._limits.silence is not None and now - self._heard > self._limits.silence:
                return Ending.SILENCE
            if self._limits.memory is not None and now - looked > TICK:
                looked = now
                if now - looked_around > LOOK_AROUND:
                    looked_around = now
                    tree = tree_of(self._process.pid)
                if resident_bytes(tree) > self._limits.memory:
                    return Ending.MEMORY

    def drain(self) -> None:
        """Read what is still in the pipes; for at most `PATIENCE`, as others may hold them."""
        deadline = time.monotonic() + PATIENCE
        while self._readers and not self._over_output():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._move_bytes(min(left, TICK))

    def _register(self, stream: IO[bytes], event: int) -> None:
        os.set_blocking(stream.fileno(), False)
        self._selector.register(stream, event)

    def _wait(self, tick: float, started: float) -> float:
        if self._limits.seconds is None:
            return tick
        return max(0.0, min(tick, started + self._limits.seconds - time.monotonic()))

    def _move_bytes(self, timeout: float) -> None:
        """Wait for a stream that is ready and move what it has."""
        for key, _ in self._selector.select(timeout):
            stream = key.fileobj
            if stream == self._exit_descriptor:
                # The program has ended; from here on its exit is asked for, not awaited.
                self._selector.unregister(stream)
            elif stream in self._readers:
                self._read(cast("IO[bytes]", stream))
            else:
                self._write(cast("IO[bytes]", stream))

    def _read(self, stream: IO[bytes]) -> None:
        try:
            chunk = os.read(stream.fileno(), 1 << 16)
        except BlockingIOError:
            return
        if chunk:
            self._readers[stream] += chunk
            self._heard = time.monotonic()
        else:
            self._selector.unregister(stream)
            del self._readers[stream]

    def _write(self, stream: IO[bytes]) -> None:
        try:
            self._unsent = self._unsent[os.write(stream.fileno(), self._unsent[: 1 << 16]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(stream)
            stream.close()

    def _over_output(self) -> bool:
        limit = self._limits.output
        return limit is not None and max(len(self.stdout), len(self.stderr)) > limit


def _start(command: Command, *, has_stdin: bool) -> subprocess.Popen[bytes]:
    # Imported here: plumbum takes a tenth of a second, and `harness --help` needs no process.
    from plumbum import local

    program = shutil.which(command.argv[0], path=command.environment.get("PATH"))
    if program is None:
        raise FileNotFoundError(f"there is no program {command.argv[0]!r}")
    if command.cwd is not None and not command.cwd.is_dir():
        raise FileNotFoundError(f"there is no folder {str(command.cwd)!r}")
    words = [program, *command.argv[1:]]
    # plumbum adds variables to those that it inherits; what is to be absent is unset on the way.
    unset = sorted(name for name in local.env.getdict() if name not in command.environment)
    if unset:
        remover = shutil.which("env") or "/usr/bin/env"
        words = [remover, *(word for name in unset for word in ("-u", name)), *words]
    built = local[words[0]][tuple(words[1:])]
    process = built.popen(
        stdin=subprocess.PIPE if has_stdin else subprocess.DEVNULL,
        cwd=str(command.cwd or Path.cwd()),
        env=dict(command.environment),
        new_session=True,
        bufsize=0,
    )
    # plumbum's wrapper hands everything that is asked of it on to the Popen inside.
    return cast("subprocess.Popen[bytes]", process)


def _open_exit_descriptor(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends, where the system has such."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _has_exited(pid: int) -> bool:
    """Whether the process ended; it is left unreaped, so that its group's number stays its own."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, pid, flags) is not None


def _end_group(process: subprocess.Popen[bytes], *, gently: bool = True) -> None:
    """End what is left of the process's group, and reap the process."""
    if gently and not _has_exited(process.pid):
        _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while not _has_exited(process.pid) and time.monotonic() < deadline:
            time.sleep(TICK / 20)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    # On macOS a group whose only member is a zombie answers EPERM.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _widen(pipe: IO[bytes]) -> None:
    """Let the pipe hold more than its 64 KiB, where the system can: nobody waits for a reader."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, MEBIBYTE)


def tree_of(leader: int) -> list[int]:
    """Every process in the session that `leader` leads; none without /proc."""
    try:
        numbers = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208 - as below
    except FileNotFoundError:
        return []
    return [number for number in numbers if _stat(number)[3:4] == [b"%d" % leader]]


def resident_bytes(processes: Iterable[int]) -> int:
    """The processes' resident memory; those that have ended have none."""
    pages = (int(fields[21]) for fields in map(_stat, processes) if fields)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def _stat(process: int) -> list[bytes]:
    """What Linux says of the process, from its state on; nothing of one that is not there."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - a hot path
            # The name may hold anything, so the fields are those after its bracket.
            return file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
