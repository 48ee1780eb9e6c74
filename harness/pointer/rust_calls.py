"""What a call hands over, in Rust: for each of its parameters an argument in the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pointer.kinds import argument_kind
from harness.pointer.names import captured
from harness.pointer.rust_statements import argument_expression
from harness.pointer.rust_types import variable_type

if TYPE_CHECKING:
    from harness.pointer import program as p
    from harness.pointer.rust_types import Frame


def hand_over(call: p.Call, frame: Frame, inner: Frame) -> tuple[list[str], list[str]]:
    """The arguments as the caller writes them, and the parameters as the function declares them.

    frame: the caller's variables. inner: the function's, to which the parameters are added.
    """
    arguments = [argument_expression(argument, frame) for argument in call.args]
    parameters = [
        f"mut {inner.add(argument.to, argument_kind(argument))}: "
        f"{variable_type(argument_kind(argument))}"
        for argument in call.args
    ]
    for variable in captured(call):
        kind = frame.kind(variable)
        arguments.append(frame.rust(variable))
        parameters.append(f"mut {inner.add(variable, kind)}: {variable_type(kind)}")
    return arguments, parameters
