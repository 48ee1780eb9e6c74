"""Targets by their names: whether rustc knows them, and how memory is laid out there."""

from __future__ import annotations

import re

from harness.errors import InputError
from harness.target import ByteOrder, Layout, Target
from harness.toolchain.missing import Missing
from harness.toolchain.process import Launcher
from harness.toolchain.rust import INSTALL_RUST, Compiler, ask, ask_compiler

HOST = "host"
"""What the machine that runs the harness is called on the command line."""


def find_targets(
    launcher: Launcher, toolchain: str, names: tuple[str, ...]
) -> tuple[Target | None, ...]:
    """The targets that `names` stand for; None is the host, which is all where there are none.

    toolchain: with Miri, whose compiler is asked; where there is none, whichever rustc is here.

    Raises: InputError, if there is no such target; MissingTool, if there is no compiler.
    """
    if set(names) <= {HOST}:
        return (None,)
    rustc: tuple[str, ...] = ("rustup", "run", toolchain, "rustc")
    compiler = ask_compiler(launcher, rustc, install=INSTALL_RUST)
    if isinstance(compiler, Missing):
        rustc = ("rustc",)
        compiler = ask_compiler(launcher, rustc, install=INSTALL_RUST)
    if isinstance(compiler, Missing):
        raise compiler.error()
    found = (_find(launcher, rustc, compiler, name) for name in names)
    return tuple(dict.fromkeys(found))


def _find(
    launcher: Launcher, rustc: tuple[str, ...], compiler: Compiler, name: str
) -> Target | None:
    if name in (HOST, compiler.host):
        return None
    remedy = f"`{' '.join(rustc)} --print target-list` names them all"
    # A file with a target of one's own would need a standard library of one's own.
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII) or name.endswith(".json"):
        raise InputError(None, f"--target: {name!r} is no target's name", remedy)
    answer = ask(launcher, (*rustc, "--print", "cfg", "--target", name), install=INSTALL_RUST)
    if isinstance(answer, Missing):
        raise InputError(None, f"--target: there is no target {name!r}", remedy)
    settings = dict(re.findall(r'^(\w+)="(\w+)"$', answer.output, re.MULTILINE))
    order: ByteOrder = "big" if settings.get("target_endian") == "big" else "little"
    pointer_size = int(settings.get("target_pointer_width", "64")) // 8
    return Target(triple=name, layout=Layout(pointer_size=pointer_size, byte_order=order))
