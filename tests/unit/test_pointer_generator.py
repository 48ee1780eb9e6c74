"""Random pointer programs: well-formed, repeatable, and of every statement."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import get_args

from harness.pointer import program as p
from harness.pointer.generator import generate
from harness.pointer.validate import faults


def every(statements: tuple[p.AnyStatement, ...]) -> Iterator[p.AnyStatement]:
    for statement in statements:
        yield statement
        if isinstance(statement, p.Call):
            yield from every(statement.body)


def test_programs_are_well_formed_and_reach_every_statement() -> None:
    seen: Counter[type] = Counter()
    arguments: Counter[str] = Counter()
    returned = results = 0
    for seed in range(400):
        program = generate(random.Random(seed), 12)
        assert faults(program) == (), seed
        results += program.result is not None
        for statement in every(program.statements):
            seen[type(statement)] += 1
            if isinstance(statement, p.Call):
                arguments.update(argument.as_ for argument in statement.args)
                returned += len(statement.returns)
    assert set(seen) == {*p.AnyStatement.__args__}
    assert set(arguments) == set(get_args(p.ArgumentKind))
    assert returned
    assert results


def test_a_seed_gives_the_same_program_again() -> None:
    assert generate(random.Random(7), 20) == generate(random.Random(7), 20)
    assert generate(random.Random(7), 20) != generate(random.Random(8), 20)
