"""Processes: what they print, what they may use, and that nothing of them stays behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.toolchain.command import Command
from harness.toolchain.process import (
    MEBIBYTE,
    Cancelled,
    Ending,
    Launcher,
    Limits,
    resident_bytes,
    tree_of,
)


def python(source: str, *arguments: str, **environment: str) -> Command:
    return Command(
        argv=(sys.executable, "-c", source, *arguments),
        environment={**os.environ, **environment},
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


SLEEPING_GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
"""


def test_output_exit_code_and_input() -> None:
    source = (
        "import sys; t = sys.stdin.read(); print(t[::-1]); print('e', file=sys.stderr); exit(7)"
    )
    done = Launcher().run(python(source), stdin=b"abc")
    assert (done.exit_code, done.ending) == (7, Ending.EXITED)
    assert (done.stdout, done.stderr) == (b"cba\n", b"e\n")
    assert not done.succeeded
    assert done.describe_ending() == "exit code 7"


def test_more_than_a_pipe_holds_goes_both_ways() -> None:
    data = os.urandom(3 * MEBIBYTE)
    source = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    assert Launcher().run(python(source), stdin=data).stdout == data


def test_a_program_that_does_not_read_its_input_ends_well() -> None:
    done = Launcher().run(python("print('done')"), stdin=bytes(3 * MEBIBYTE))
    assert done.succeeded
    assert done.stdout == b"done\n"


def test_the_environment_is_exactly_the_one_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TEST_INHERITED", "1")
    source = "import os; print(sorted(n for n in os.environ if n != 'LC_CTYPE'))"
    command = Command(argv=(sys.executable, "-c", source), environment={"A": "b c", "PATH": "/bin"})
    assert Launcher().run(command).output.strip() == "['A', 'PATH']"


def test_arguments_are_not_read_by_a_shell() -> None:
    hostile = ["$(touch x)", "a b", "'", '"', "~", "*", "; exit 3", "é\n"]
    done = Launcher().run(python("import sys; print(sys.argv[1:])", *hostile))
    assert done.output.strip() == repr(hostile)


def test_the_folder_to_start_in(tmp_path: Path) -> None:
    command = Command(argv=(sys.executable, "-c", "import os; print(os.getcwd())"), cwd=tmp_path)
    assert Launcher().run(command).output.strip() == str(tmp_path)


def test_no_such_program_and_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        Launcher().run(Command(argv=("no-such-program",)))
    with pytest.raises(FileNotFoundError, match="no-such-folder"):
        Launcher().run(Command(argv=(sys.executable,), cwd=tmp_path / "no-such-folder"))


def test_a_time_limit_ends_the_grandchildren_too() -> None:
    started = time.monotonic()
    done = Launcher().run(
        python(SLEEPING_GRANDCHILD + "time.sleep(60)"), limits=Limits(seconds=1.0)
    )
    assert time.monotonic() - started < 3
    assert done.ending is Ending.TIME
    assert done.describe_ending() == "still running after 1 s"
    wait_until_gone(int(done.stdout))


def test_a_program_that_ignores_sigterm_is_ended() -> None:
    source = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    done = Launcher().run(python(source), limits=Limits(seconds=0.5))
    assert done.ending is Ending.TIME
    assert done.exit_code == -signal.SIGKILL


def test_a_grandchild_that_holds_the_pipes_delays_nothing() -> None:
    started = time.monotonic()
    done = Launcher().run(python(SLEEPING_GRANDCHILD))
    assert time.monotonic() - started < 2
    assert done.succeeded
    wait_until_gone(int(done.stdout))


def test_a_grandchild_that_left_the_session_delays_nothing() -> None:
    source = SLEEPING_GRANDCHILD.replace("])", "], start_new_session=True)")
    started = time.monotonic()
    done = Launcher().run(python(source))
    pid = int(done.stdout)
    try:
        assert time.monotonic() - started < 2
        assert done.succeeded
        assert is_running(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_silence_ends_a_program_and_output_keeps_it() -> None:
    talking = "import time\nfor i in range(8): print(i, flush=True); time.sleep(0.1)"
    assert Launcher().run(python(talking), limits=Limits(silence=0.5)).succeeded
    done = Launcher().run(
        python("import time; print('x', flush=True); time.sleep(60)"), limits=Limits(silence=0.5)
    )
    assert done.ending is Ending.SILENCE
    assert done.stdout == b"x\n"


@pytest.mark.skipif(not Path("/proc").exists(), reason="the memory of a tree is read from /proc")
def test_a_memory_limit_counts_the_whole_tree() -> None:
    grow = "b = bytearray(120 << 20); import time; time.sleep(60)"
    source = (
        "import subprocess, sys\n"
        f"for _ in range(2): p = subprocess.Popen([sys.executable, '-c', {grow!r}])\n"
        "p.wait()"
    )
    done = Launcher().run(python(source), limits=Limits(memory=200 * MEBIBYTE, seconds=30))
    assert done.ending is Ending.MEMORY
    assert done.describe_ending() == "more than 200 MiB of memory in use"
    alone = Launcher().run(
        python(grow.replace("60", "0.5")), limits=Limits(memory=200 * MEBIBYTE, seconds=30)
    )
    assert alone.succeeded


def test_resident_memory_is_that_of_this_session() -> None:
    tree = tree_of(os.getsid(0))
    assert os.getpid() in tree or not tree
    assert resident_bytes(tree) >= 0
    assert tree_of(-1) == []
    assert resident_bytes([]) == 0


def test_an_output_limit_ends_a_flood() -> None:
    done = Launcher().run(
        python("while True: print('x' * 1000)"), limits=Limits(output=MEBIBYTE, seconds=30)
    )
    assert done.ending is Ending.OUTPUT
    assert MEBIBYTE < len(done.stdout) < 3 * MEBIBYTE


def test_a_listener_is_told_before_the_end() -> None:
    heard: list[tuple[bytes, bytes]] = []
    source = (
        "import sys, time\n"
        "print('one', flush=True); print('two', file=sys.stderr, flush=True); time.sleep(0.5)\n"
        "print('three')"
    )
    done = Launcher().run(
        python(source), listener=lambda out, errors: heard.append((bytes(out), bytes(errors)))
    )
    assert (b"one\n", b"two\n") in heard
    assert all(done.stdout.startswith(out) for out, _ in heard)
    assert (done.stdout, done.stderr) == (b"one\nthree\n", b"two\n")


def test_what_a_listener_raises_ends_the_program() -> None:
    def refuse(out: bytearray, errors: bytearray) -> None:
        raise LookupError

    started = time.monotonic()
    with pytest.raises(LookupError):
        Launcher().run(python("import time; print(1, flush=True); time.sleep(60)"), listener=refuse)
    assert time.monotonic() - started < 20


def test_a_signal_is_named() -> None:
    done = Launcher().run(python("import os; os.kill(os.getpid(), 11)"))
    assert done.exit_code == -signal.SIGSEGV
    assert done.describe_ending() == "ended by SIGSEGV"


def test_cancelling_ends_every_thread_and_starts_nothing_more() -> None:
    launcher = Launcher()
    with ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(launcher.run, python("import time; time.sleep(60)")) for _ in range(4)
        ]
        time.sleep(0.5)
        started = time.monotonic()
        launcher.cancel()
        for future in waiting:
            with pytest.raises(Cancelled):
                future.result()
    assert time.monotonic() - started < 2
    with pytest.raises(Cancelled):
        launcher.run(python(""))


def test_a_fork_is_cancelled_alone_or_with_its_parent() -> None:
    parent = Launcher()
    one, other = parent.fork(), parent.fork()
    one.cancel()
    assert [each.is_cancelled() for each in (parent, one, other)] == [False, True, False]
    assert other.run(python("print(1)")).stdout == b"1\n"
    parent.cancel()
    with pytest.raises(Cancelled):
        other.run(python("print(1)"))


def test_ctrl_c_ends_the_program_first(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupt() -> None:
        deadline = time.monotonic() + 10
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        pids.append(int(marker.read_text()))
        signal.raise_signal(signal.SIGINT)

    marker = tmp_path / "pid"
    thread = threading.Thread(target=interrupt)
    source = (
        "import os, sys, time\n"
        "open(sys.argv[1] + '.new', 'w').write(str(os.getpid()))\n"
        "os.rename(sys.argv[1] + '.new', sys.argv[1])\n"
        "time.sleep(60)"
    )
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            Launcher().run(python(source, str(marker)))
    finally:
        thread.join()
    wait_until_gone(pids[0])


def test_many_threads_at_once_do_not_mix_their_output() -> None:
    launcher = Launcher()
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda i: launcher.run(python(f"print({i})")).output, range(40)))
    assert outputs == [f"{i}\n" for i in range(40)]


def test_the_echoed_line_repeats_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_TEST_UNSET", "1")
    environment = {n: v for n, v in os.environ.items() if n != "HARNESS_TEST_UNSET"}
    source = (
        "import os, sys\n"
        "print(os.getcwd(), sys.argv[1:], os.environ.get('HARNESS_TEST_UNSET'), os.environ['NEW'])"
    )
    arguments = ["it's", "$HOME"]
    command = Command(
        argv=(sys.executable, "-c", source, *arguments),
        cwd=tmp_path,
        environment={**environment, "NEW": "a b"},
    )
    echoed: list[str] = []
    first = Launcher(echo=echoed.append).run(command)
    again = Launcher().run(Command(argv=("sh", "-c", echoed[0])))
    assert first.output == again.output
    assert first.output == f"{tmp_path} {arguments!r} None a b\n"
