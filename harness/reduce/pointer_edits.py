"""What may be tried on a pointer program, and what comes of it.

Statements are taken apart by their fields, so that a new kind of statement needs nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec.structs import fields, replace

from harness.pointer import program as p
from harness.pointer.rename import renamed_program, variable_fields
from harness.reduce.edits import (
    Bypass,
    Drop,
    DropArgument,
    DropResult,
    Inline,
    PointerEdit,
    Replace,
)
from harness.reduce.repair import repaired

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def statements_of(
    statements: tuple[p.AnyStatement, ...], path: p.Path = ()
) -> Iterator[tuple[p.Path, p.AnyStatement]]:
    """Every statement with its path, those of calls' bodies behind their call."""
    for index, statement in enumerate(statements):
        here = (*path, index)
        yield here, statement
        if isinstance(statement, p.Call):
            yield from statements_of(statement.body, here)


def size(program: p.PointerProgram) -> int:
    """The number of statements, in bodies of calls too."""
    return sum(1 for _ in statements_of(program.statements))


# Passes


def drops(program: p.PointerProgram) -> list[PointerEdit]:
    """Every statement left out."""
    return [Drop(path=path) for path, _ in statements_of(program.statements)]


def allocation_drops(program: p.PointerProgram) -> list[PointerEdit]:
    """Every allocation left out, and the result, and what of a call is for nothing."""
    found: list[PointerEdit] = [
        Drop(path=path)
        for path, statement in statements_of(program.statements)
        if isinstance(statement, p.Local | p.Heap | p.Static | p.Box)
    ]
    for path, statement in statements_of(program.statements):
        if isinstance(statement, p.Call):
            found += [DropArgument(path=path, number=n) for n in range(len(statement.args))]
    if program.result is not None:
        found.append(DropResult())
    return found


def inlinings(program: p.PointerProgram) -> list[PointerEdit]:
    """Every call's body in its place."""
    return [
        Inline(path=path)
        for path, statement in statements_of(program.statements)
        if isinstance(statement, p.Call)
    ]


def bypasses(program: p.PointerProgram) -> list[PointerEdit]:
    """Every pointer replaced by what it was made of."""
    found: list[PointerEdit] = []
    for path, statement in statements_of(program.statements):
        to, of = getattr(statement, "to", None), getattr(statement, "of", None)
        if isinstance(to, str) and isinstance(of, str):
            found.append(Bypass(path=path, to=to, of=of))
    return found


def plainer_statements(program: p.PointerProgram) -> list[PointerEdit]:
    """Borrows of a plainer kind, and plainer ways to come to memory."""
    return [
        Replace(path=path, statement=plainer)
        for path, statement in statements_of(program.statements)
        for plainer in _plainer(statement)
    ]


def smaller_fields(program: p.PointerProgram) -> list[PointerEdit]:
    """Numbers replaced by the smallest, options by none, variables by numbers."""
    return [
        Replace(path=path, statement=smaller)
        for path, statement in statements_of(program.statements)
        for smaller in _smaller(statement)
    ]


def _plainer(statement: p.AnyStatement) -> Iterator[p.AnyStatement]:
    match statement:
        case p.AsMutPtr():
            yield p.RawMut(to=statement.to, of=statement.of)
        case p.AsPtr():
            yield p.RawConst(to=statement.to, of=statement.of)
        case p.RefMut() if statement.cell:
            yield replace(statement, cell=False)
        case p.RefCell() | p.RefMix():
            yield p.RefShared(to=statement.to, of=statement.of)
        case p.TwoPhase():
            yield p.Write(ptr=statement.of, at=0, width=1, value=0)
        case p.Free():
            yield p.DropBox(ptr=statement.ptr)
        case p.Heap():
            yield p.Box(to=statement.to, size=statement.size, init=0)
        case p.Copy():
            yield p.Write(ptr=statement.to_ptr, at=0, width=1, value=0)
            yield p.Read(ptr=statement.from_, at=0, width=1)
        case p.StorePtr():
            yield p.Write(ptr=statement.ptr, at=0, width=8, value=0)
        case p.Sub() | p.WithAddr():
            yield p.RawMut(to=statement.to, of=statement.of)
        case _:
            pass


def _smaller(statement: p.AnyStatement) -> Iterator[p.AnyStatement]:
    """The statement with one field made smaller, each in turn; the boldest first."""
    if isinstance(statement, p.Call):
        return
    names = variable_fields(statement)
    for field in fields(statement):
        value = getattr(statement, field.name)
        for plainer in _smaller_values(field.name, value, field.default, field.name in names):
            if plainer != value:
                yield replace(statement, **{field.name: plainer})


def _smaller_values(
    name: str, value: object, default: object, is_variable: bool
) -> Iterator[object]:
    if value == default:
        return
    if value is not None and default is None:
        yield None
    if is_variable and name in ("at", "offset", "value", "left", "right", "size"):
        yield 0
    elif isinstance(value, bool):
        yield False
    elif isinstance(value, int):
        smallest = 1 if name in ("size", "width", "align") else 0
        yield smallest
        if name == "size":
            yield from (small for small in (2, 4, 8) if small < value)
        elif value > 1:
            yield value // 2
    elif name == "init" and isinstance(value, str):
        yield 0


# Applying


def apply(program: p.PointerProgram, edits: Sequence[PointerEdit]) -> p.PointerProgram:
    """What comes of the program by all of the edits together, made well-formed."""
    by_path: dict[p.Path, list[PointerEdit]] = {}
    names: dict[str, str] = {}
    result = program.result
    for edit in edits:
        match edit:
            case DropResult():
                result = None
            case Bypass():
                names[edit.to] = edit.of
                by_path.setdefault(edit.path, []).append(edit)
            case Drop() | DropArgument() | Replace() | Inline():
                by_path.setdefault(edit.path, []).append(edit)
            case _:
                assert_never(edit)
    body = tuple(_edited(program.statements, (), by_path, names))
    edited = p.PointerProgram(statements=body, result=result)
    return repaired(renamed_program(edited, {each: _end_of(names, each) for each in names}))


def _end_of(names: dict[str, str], name: str) -> str:
    while name in names:
        name = names[name]
    return name


def _edited(
    statements: tuple[p.AnyStatement, ...],
    path: p.Path,
    edits: dict[p.Path, list[PointerEdit]],
    names: dict[str, str],
) -> Iterator[p.AnyStatement]:
    for index, statement in enumerate(statements):
        here = (*path, index)
        mine = edits.get(here, [])
        if any(isinstance(edit, Drop | Bypass) for edit in mine):
            continue
        replaced = [edit.statement for edit in mine if isinstance(edit, Replace)]
        current = _merged(statement, replaced)
        if not isinstance(current, p.Call):
            yield current
            continue
        gone = {edit.number for edit in mine if isinstance(edit, DropArgument)}
        args = tuple(each for number, each in enumerate(current.args) if number not in gone)
        body = tuple(_edited(current.body, here, edits, names))
        if not any(isinstance(edit, Inline) for edit in mine):
            yield replace(current, args=args, body=body)
            continue
        for argument in args:
            yield from _borrow(argument)
        yield from body
        names.update({each.to: each.of for each in current.returns})


def _merged(statement: p.AnyStatement, replaced: Sequence[p.AnyStatement]) -> p.AnyStatement:
    """The statement with the changes of several replacements, where they are of one kind.

    Of two that change the same field the one that was proposed first, the bolder, holds.
    """
    merged = statement
    for other in reversed(replaced):
        if type(other) is not type(statement) or type(merged) is not type(statement):
            merged = other
            continue
        changes = {
            field.name: getattr(other, field.name)
            for field in fields(other)
            if getattr(other, field.name) != getattr(statement, field.name)
        }
        merged = replace(merged, **changes)
    return merged


def _borrow(argument: p.Argument) -> Iterator[p.AnyStatement]:
    """The borrow that an argument is, without the call."""
    match argument.as_:
        case "mut" | "mut_cell":
            yield p.RefMut(to=argument.to, of=argument.of, cell=argument.as_ == "mut_cell")
        case "shared":
            yield p.RefShared(to=argument.to, of=argument.of)
        case "cell":
            yield p.RefCell(to=argument.to, of=argument.of)
        case "mix":
            yield p.RefMix(to=argument.to, of=argument.of)
        case "boxed":
            yield p.RawMut(to=argument.to, of=argument.of)
        case _:
            assert_never(argument.as_)
