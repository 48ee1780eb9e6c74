"""The command line's entry: commands by name, loaded only when called; errors as messages."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from cyclopts import App

COMMANDS = {
    "run": "Run cases and hold all sides against each other.",
    "new-variant": "Write a crate with a variant of your own, to start from.",
    "list": "List cases, variants or modes.",
    "explain": "Show, step by step, the borrow stacks or trees and the step that breaks the rules.",
    "repro": "Write the smallest Rust file that shows what a case shows.",
    "reduce": "Make a failing case smaller, so that it fails in the same way.",
    "fuzz": "Judge random programs, or all small ones, and keep every disagreement.",
    "check": "Ask Miri about a Rust file or a crate of your own, in every mode.",
    "story": "Hold inline assembly of your own against the Rust that stands for it under Miri.",
    "replay": "Run a function of your own under Miri, once for every input file.",
    "bless": "Commit what a real Miri shows of cases, for machines that have none.",
    "bench": "Measure how fast things are, side by side.",
    "doctor": "Say what is installed, what is not, and the one command that mends it.",
}
"""Each command is the function, or the group, of its name (with `_` for `-`) in the module of its
name beside this one."""


def build_app() -> App:
    """The application, with no command imported yet."""
    from cyclopts import App

    app = App(
        name="harness",
        help="Is this Rust code over raw memory sound? Ask a reference VM, a model, Miri.",
        help_format="plaintext",
        version=_version,
        suppress_keyboard_interrupt=False,
    )
    for name, summary in COMMANDS.items():
        function = f"{name.replace('-', '_')}_command"
        app.command(f"harness.cli.{function}:{function}", name=name, help=summary)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line on `arguments`, without the program's name; returns the exit code."""
    import gc
    import signal

    from cyclopts import CycloptsError

    from harness.errors import HarnessFault, InputError, MissingTool

    # Cases and results last as long as the process: to look for cycles among them at every 700th
    # costs a quarter of a run that has everything on record.
    gc.set_threshold(100_000, 20, 100)
    # Whoever ends this process by a signal wants its children ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = build_app()(
            list(arguments), exit_on_error=False, print_error=True, result_action="return_value"
        )
    except CycloptsError:
        return ExitCode.BAD_INPUT
    except InputError as error:
        return _complain("error", error, ExitCode.BAD_INPUT)
    except MissingTool as error:
        return _complain("not checked", error, ExitCode.NOT_CHECKED)
    except HarnessFault as error:
        return _complain("a fault of the harness itself", error, ExitCode.FAULT)
    except KeyboardInterrupt:
        return _complain("interrupted", "every child process was ended", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.AGREE
    except Exception:
        # Not a mistake of the user's: what went wrong has to be reported, with all that is known.
        traceback.print_exc()
        return _complain("a fault of the harness itself", "please report it", ExitCode.FAULT)
    return code if isinstance(code, int) else ExitCode.AGREE


def _complain(what: str, error: object, code: ExitCode) -> int:
    print(f"harness: {what}: {error}", file=sys.stderr)
    return code


def _version() -> str:
    from importlib.metadata import version

    return f"harness {version('harness')}"
