"""What has to hold of any bytes that a user may hand over; both Hypothesis and a fuzzer ask it.

A target takes the bytes of one input. It returns whatever is right: a program that was read, or
an error with its place. What it raises is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from harness import _native
from harness.bytecode import assembly
from harness.bytecode.wire import WireError, decode, encode
from harness.cases.case import BytecodeCase
from harness.cases.files import CaseFile
from harness.cases.load import load, read_case
from harness.cases.story_case import StoryCase
from harness.errors import InputError, Place, RustError
from harness.lowering.variants import VARIANTS
from harness.mode import MODES
from harness.model.machine import judge as judge_program
from harness.outcome import NOWHERE, Ran, Trapped
from harness.pointer import text as pointer_text
from harness.pointer.jsonl import read_set, write_line
from harness.pointer.validate import faults
from harness.reference.vm import run as run_reference
from harness.resources import corpus_dir
from harness.retelling.judgement import judge, retell
from harness.story.block import (
    PROGRAM,
    Access,
    Block,
    Borrow,
    Memory,
    Operand,
    Option,
    Static,
    Story,
)
from harness.story.pair import Unread, read_pair

FILE = CaseFile(path=Path("corpus/any.toml"), id="any")

SET = Path(__file__).parents[1] / "data" / "miri-verdicts-sample.jsonl"

OWN_STORIES = SET.parent / "own_stories"

DASHES = "\n---\n"

STORY = Story(
    arch="x86_64",
    blocks=(
        Block(
            name="block",
            operands=(
                Operand(
                    name="p",
                    access=Access.IN,
                    register="reg",
                    type="*mut u8",
                    memory=Memory(size=16, align=8, borrow=Borrow.SHARED),
                ),
                Operand(name="n", access=Access.IN, register="reg", type="u64", ranges=((0, 16),)),
                Operand(name="y", access=Access.OUT, register="reg", type="u64"),
                Operand(name="x", access=Access.INOUT, register="reg", type="i32"),
            ),
            options=frozenset((Option.READONLY,)),
            touches=("COUNTER",),
            story="",
        ),
    ),
    statics=(Static(name="COUNTER", type="u32", initial="1"),),
)
"""What the stories of the target `story` are about."""

STEPS = 50
"""The step limit of programs that are run."""


def wire(data: bytes) -> None:
    """Both decoders refuse the same bytes; what they take, both VMs bring to the same end."""
    if len(data) >= 16:
        # Otherwise nearly every program with a jump back would run for ever.
        data = data[:8] + (data[8] % STEPS).to_bytes(8, "little") + data[16:]
    try:
        program = decode(data, "any.bin")
    except WireError as error:
        demand(0 <= error.offset <= len(data), f"offset {error.offset} of {len(data)} bytes")
        demand(bool(error.remedy), "an error without a remedy")
        program = None
    try:
        seen = _native.run("index", data)
    except ValueError:
        demand(program is None, "the Rust decoder refuses what the Python one takes")
        return
    demand(program is not None, "the Rust decoder takes what the Python one refuses")
    assert program is not None
    demand(encode(program) == data, "a program is written another way than it was read")
    if VARIANTS["index"].refuses(program) is not None:
        refused = isinstance(seen, _native.Trapped)
        demand(refused, "the Rust VM runs what its variant cannot express")
        return
    wanted = run_reference(program)
    if isinstance(seen, _native.Ran):
        demand(wanted == Ran(memory=seen.memory, steps=seen.steps), f"{wanted} is another end")
        return
    assert isinstance(wanted, Ran | Trapped)
    demand(isinstance(wanted, Trapped), "the Rust VM traps, and the reference does not")
    assert isinstance(wanted, Trapped)
    place = (wanted.location.instruction, wanted.location.operand)
    demand(
        (wanted.kind, *place, wanted.memory)
        == (seen.kind, seen.instruction, seen.operand, seen.memory),
        f"{wanted} is another trap",
    )


def case(data: bytes) -> None:
    """A case file is a case, or there is an error whose place lies in it."""
    try:
        read = read_case(FILE, data, variants=VARIANTS)
    except InputError as error:
        demand_place(error, FILE.name, data)
        return
    if isinstance(read, BytecodeCase):
        demand(decode(encode(read.program)) == read.program, "its program has no wire form")


def assembly_text(data: bytes) -> None:
    """An assembly text is a program that can be written again, or there is an error."""
    text = data.decode("utf-8", "replace")
    try:
        instructions = assembly.parse(text)
    except InputError as error:
        demand_place(error, None, text.encode())
        return
    written = assembly.format(instructions)
    demand(assembly.parse(written) == instructions, f"{written!r} is another program")


def pointer(data: bytes) -> None:
    """A pointer program's text is a program, or there is an error."""
    text = data.decode("utf-8", "replace")
    try:
        pointer_text.parse(text)
    except InputError as error:
        demand_place(error, None, text.encode())


def jsonl(data: bytes) -> None:
    """Each line of a set is a program that can be written again, or an error in that line."""
    lines = data.split(b"\n")
    for entry in read_set("any.jsonl", [line + b"\n" for line in lines]):
        if isinstance(entry, InputError):
            demand_place(entry, "any.jsonl", data)
        else:
            written = write_line(entry).encode()
            (again,) = read_set("any.jsonl", [written])
            demand(
                again == replace(entry, place=getattr(again, "place", None)),
                f"{written!r} is another program",
            )


def rust(data: bytes) -> None:
    """Assembly in a Rust file is read or left out, each with its place, or there is an error."""
    text = data.decode("utf-8", "replace")
    try:
        found = _native.rust_stories(text)
    except RustError as error:
        place = Place(file="any.rs", line=error.line, column=error.column)
        demand_place(InputError(place, error.message), "any.rs", text.encode())
        return
    places = [(each.line, each.column) for each in found.unread]
    for pair in found.pairs:
        read = read_pair(pair, imports=found.imports, items=found.items)
        if isinstance(read, Unread):
            places.append((read.line, read.column))
            continue
        places += [(pair.block.line, pair.block.column), *(at for at in read.lines if at)]
        demand(len(read.lines) == len(read.block.story.split("\n")), "a line without a place")
    text = text.removeprefix("\ufeff")
    for line, column in places:
        place = Place(file="any.rs", line=line, column=column)
        demand_place(InputError(place, "here"), "any.rs", text.encode())


def story(data: bytes) -> None:
    """A story and, behind a line of dashes, a program: retold they are well-formed pointer
    programs, which the abstract machine judges; what is not retold has a place, or is no Rust."""
    text, _, program = data.decode("utf-8", "replace").partition(DASHES)
    (block,) = STORY.blocks
    told = replace(STORY, blocks=(replace(block, story=text),), program=program)
    try:
        found = retell(told)
        for each in (text, program):
            _native.rust_terms(each)
    except RustError:
        return
    for trial in found.trials:
        wrong = faults(trial.program)
        demand(not wrong, f"{wrong[:1]} in what is retold")
    for mode in MODES:
        outcome = judge(found, partial(judge_program, mode=mode))
        span = getattr(outcome, "location", NOWHERE).span
        if span is not None:
            said = program if span.file == PROGRAM else text
            place = Place(file="any.rs", line=span.line, column=span.column)
            demand_place(InputError(place, "here"), "any.rs", said.encode())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire,
    "case": case,
    "assembly": assembly_text,
    "pointer": pointer,
    "jsonl": jsonl,
    "rust": rust,
    "story": story,
}


def seeds(target: str) -> Iterator[bytes]:
    """Good inputs of a target, to begin with."""
    match target:
        case "wire":
            yield from (encode(each.program) for each in bytecode_cases() if small(each))
        case "assembly":
            yield from (
                assembly.format(each.program.instructions).encode()
                for each in bytecode_cases()
                if small(each)
            )
        case "case":
            yield from (path.read_bytes() for path in sorted(corpus_dir().rglob("*.toml"))[::4])
        case "pointer":
            for path in sorted((corpus_dir() / "pointer").rglob("*.toml"))[::4]:
                _, _, rest = path.read_text(encoding="utf-8").partition("'''\n")
                yield rest.partition("'''")[0].encode()
        case "jsonl":
            yield from SET.read_bytes().splitlines()[::20]
        case "rust":
            yield from (path.read_bytes() for path in sorted(OWN_STORIES.glob("*.rs")))
        case "story":
            for path in sorted((corpus_dir() / "story").glob("*.toml")):
                for told in load([path]).cases:
                    assert isinstance(told, StoryCase)
                    for each in told.program.blocks:
                        yield (each.story + DASHES + told.program.program).encode()
            yield DASHES.join(RETOLD).encode()
        case _:
            raise ValueError(target)


@cache
def bytecode_cases() -> tuple[BytecodeCase, ...]:
    loaded = load([corpus_dir() / "bytecode"])
    return tuple(each for each in loaded.cases if isinstance(each, BytecodeCase))


RETOLD = (
    "let q = p.add(n as usize).cast::<u16>();\nx = if n > 3 { 1 } else { i32::from(q.read()) };\n"
    "COUNTER += 1;\ny = u64::from(COUNTER).wrapping_add(n);",
    "#[repr(align(8))]\nstruct Bytes([u8; 16]);\nlet mut bytes = Bytes([1; 16]);\n"
    "bytes.0[2] = 3;\nlet whole = &raw mut bytes;\nlet lent = unsafe { &mut *whole };\n"
    "unsafe { block(whole.cast(), 4, -1) };\nlent.0[3] += 1;",
)


def small(each: BytecodeCase) -> bool:
    return len(each.program.memory) <= 256


def demand(holds: bool, message: str) -> None:
    """Raises: AssertionError, whatever Python's flags are."""
    if not holds:
        raise AssertionError(message)


def demand_place(error: InputError, file: str | None, data: bytes) -> None:
    """An error says what to do, and where in the input it is."""
    demand(bool(error.message), "an error without a message")
    demand("Traceback" not in str(error), "a traceback for bad input")
    place = error.place
    demand(isinstance(place, Place), "an error without a place")
    assert place is not None
    demand(file is None or place.file == file, f"a place in {place.file}")
    lines = data.decode("utf-8", "replace").split("\n")
    demand(1 <= place.line <= len(lines), f"line {place.line} of {len(lines)}")
    width = len(lines[place.line - 1])
    demand(0 <= place.column <= width + 1, f"column {place.column} of {width} in {place.line}")
