"""Stacked Borrows: its stacks against a plain list of items, and its rules on small programs."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import groupby

import pytest

from harness.model.borrows import (
    Access,
    Broken,
    Interior,
    Protector,
    Referrer,
    Retag,
    StackView,
)
from harness.model.memory import Allocation, AllocationKind
from harness.model.provenance import WILDCARD_TAG
from harness.model.stack import Permission
from harness.model.stacked_borrows import StackedBorrows, grant_of

SIZE = 3


def allocation(kind: AllocationKind, size: int = SIZE) -> Allocation:
    return Allocation(number=0, name="x", kind=kind, size=size, align=1, base=4096, created_at=(0,))


# The rules over a plain list, byte by byte


@dataclass
class Item:
    tag: int
    permission: Permission
    protected: bool


class Undefined(Exception):
    pass


@dataclass
class PlainStack:
    """One byte's stack as the reference writes it: a list, searched from its top."""

    items: list[Item]
    unknown_below: int | None = None

    def granting(self, tag: int, access: Access, exposed: set[int]) -> int | None:
        """The index of the granting item; None if it lies in the unknown bottom."""
        for index in reversed(range(len(self.items))):
            item = self.items[index]
            named = item.tag in exposed if tag == WILDCARD_TAG else item.tag == tag
            if named and item.permission.grants(access):
                return index
        if self.unknown_below is not None and (tag == WILDCARD_TAG or tag < self.unknown_below):
            return None
        raise Undefined("aliasing")

    def block_end(self, index: int) -> int:
        end = index + 1
        if self.items[index].permission is Permission.SHARED_READ_WRITE:
            while end < len(self.items) and (
                self.items[end].permission is Permission.SHARED_READ_WRITE
            ):
                end += 1
        return end

    def access(
        self, tag: int, access: Access, exposed: set[int], protectors: dict[int, Protector]
    ) -> None:
        index = self.granting(tag, access, exposed)
        if access is Access.WRITE:
            kept = 0 if index is None else self.block_end(index)
            while len(self.items) > kept:
                self.check(self.items.pop(), protectors)
        else:
            for item in self.items[0 if index is None else index + 1 :]:
                if item.permission is Permission.UNIQUE:
                    self.check(item, protectors)
                    item.permission = Permission.DISABLED
        if index is None or tag == WILDCARD_TAG:
            enabled = [i.tag for i in self.items if i.permission is not Permission.DISABLED]
            self.forget(max([tag + 1 for tag in enabled] + [self.unknown_below or 1]))

    def check(self, item: Item, protectors: dict[int, Protector]) -> None:
        if item.protected and item.tag in protectors:
            raise Undefined("protector")

    def forget(self, bound: int) -> None:
        self.items = []
        self.unknown_below = bound


@dataclass
class PlainBorrows:
    """Stacked Borrows with a list per byte and nothing to spare work."""

    stacks: list[PlainStack]
    next_tag: int
    exposed: set[int] = field(default_factory=set)
    protectors: dict[int, Protector] = field(default_factory=dict)
    calls: list[list[int]] = field(default_factory=list)

    def access(self, tag: int, offset: int, size: int, access: Access) -> None:
        for stack in self.stacks[offset : offset + size]:
            stack.access(tag, access, self.exposed, self.protectors)

    def retag(self, tag: int, offset: int, size: int, retag: Retag) -> int:
        new = self.next_tag
        self.next_tag += 1
        if retag.function_entry and size:
            box = retag.referrer is Referrer.BOX
            self.protectors[new] = Protector.WEAK if box else Protector.STRONG
            self.calls[-1].append(new)
        for start, end, frozen in retag.interior.parts(size):
            grant = grant_of(retag, frozen)
            for stack in self.stacks[offset + start : offset + end]:
                self.grant(stack, tag, new, grant.permission, grant.protector is not None)
        return new

    def grant(
        self, stack: PlainStack, tag: int, new: int, permission: Permission, protected: bool
    ) -> None:
        if permission is not Permission.SHARED_READ_WRITE:
            access = Access.WRITE if permission.grants(Access.WRITE) else Access.READ
            stack.access(tag, access, self.exposed, self.protectors)
            stack.items.append(Item(new, permission, protected))
            return
        index = stack.granting(tag, Access.WRITE, self.exposed)
        if index is None or tag == WILDCARD_TAG:
            stack.forget(self.next_tag)
        else:
            stack.items.insert(stack.block_end(index), Item(new, permission, False))

    def leave_call(self) -> None:
        for tag in self.calls.pop():
            del self.protectors[tag]

    def deallocate(self, tag: int) -> None:
        for stack in self.stacks:
            stack.access(tag, Access.WRITE, self.exposed, self.protectors)
            for item in stack.items:
                if item.protected and self.protectors.get(item.tag) is Protector.STRONG:
                    raise Undefined("protector")


RETAGS = (
    Retag(referrer=Referrer.MUT),
    Retag(referrer=Referrer.MUT, two_phase=True),
    Retag(referrer=Referrer.MUT, function_entry=True),
    Retag(referrer=Referrer.SHARED),
    Retag(referrer=Referrer.SHARED, function_entry=True),
    Retag(referrer=Referrer.SHARED, interior=Interior.ALL),
    Retag(referrer=Referrer.SHARED, interior=Interior.ALL, function_entry=True),
    Retag(referrer=Referrer.SHARED, interior=Interior.MIDDLE, function_entry=True),
    Retag(referrer=Referrer.RAW_MUT),
    Retag(referrer=Referrer.RAW_CONST),
    Retag(referrer=Referrer.RAW_CONST, interior=Interior.MIDDLE),
    Retag(referrer=Referrer.BOX, function_entry=True),
)


def blocks(items: list[tuple[int, str, bool]]) -> list[tuple[str, set[tuple[int, bool]]]]:
    """Items by block; the order within one has no meaning, nor has that of what is on top."""
    found = []
    for permission, group in groupby(items, key=lambda item: item[1]):
        members = [(tag, protected) for tag, _, protected in group]
        if permission in ("SharedReadWrite", "SharedReadOnly"):
            found.append((permission, set(members)))
        else:
            found.extend((permission, {member}) for member in members)
    return found


@pytest.mark.parametrize("seed", range(300))
def test_blocks_do_what_a_plain_list_does(seed: int) -> None:
    """Random operations, most of which are defined; the last may not be."""
    source = random.Random(seed)
    kind = source.choice((AllocationKind.LOCAL, AllocationKind.HEAP))
    block = allocation(kind)
    model = StackedBorrows()
    root = model.new_allocation(block)
    bottom = Permission.UNIQUE if kind is AllocationKind.LOCAL else Permission.SHARED_READ_WRITE
    plain = PlainBorrows(
        stacks=[PlainStack([Item(root, bottom, False)]) for _ in range(SIZE)], next_tag=root + 1
    )
    model.enter_call()
    plain.calls.append([])
    tags, wildcards = [root], seed % 2 == 1
    for _ in range(60):
        tag = source.choice(tags[-4:] if source.random() < 0.8 else tags)
        if wildcards and source.random() < 0.1:
            tag = WILDCARD_TAG
        offset = source.randrange(SIZE)
        size = source.randrange(1, SIZE - offset + 1)
        answer: Broken | int | None = None
        expected: object = None
        found = ""
        try:
            match source.choice(("access", "access", "retag", "retag", "expose", "call", "free")):
                case "access":
                    access = source.choice(tuple(Access))
                    answer = model.access(block, tag, offset, size, access)
                    plain.access(tag, offset, size, access)
                case "retag":
                    retag = source.choice(RETAGS)
                    if retag.interior is Interior.MIDDLE:
                        offset, size = 0, SIZE
                    answer = model.retag(block, tag, offset, size, retag)
                    expected = plain.retag(tag, offset, size, retag)
                    tags.append(plain.next_tag - 1)
                case "expose" if tag != WILDCARD_TAG:
                    model.expose(block, tag)
                    plain.exposed.add(tag)
                case "call":
                    model.enter_call()
                    plain.calls.append([])
                    if source.random() < 0.5:
                        answer = model.leave_call()
                        plain.leave_call()
                case "free" if source.random() < 0.05:
                    answer = model.deallocate(block, tag)
                    plain.deallocate(tag)
                    return
        except Undefined as undefined:
            found = str(undefined)
        if found:
            assert isinstance(answer, Broken), (found, answer)
            assert answer.kind == found
            return
        assert answer == expected, answer
        for view in model.views(block):
            assert isinstance(view, StackView)
            for stack in plain.stacks[view.start : view.end]:
                seen = [(item.tag, item.permission, item.protected) for item in view.items]
                wanted = [
                    (
                        item.tag,
                        str(item.permission),
                        item.protected and item.tag in plain.protectors,
                    )
                    for item in stack.items
                ]
                assert blocks(seen) == blocks(wanted)
                assert view.unknown_below == stack.unknown_below


# The rules, one by one


@pytest.fixture
def local() -> tuple[StackedBorrows, Allocation, int]:
    block = allocation(AllocationKind.LOCAL, size=1)
    model = StackedBorrows()
    return model, block, model.new_allocation(block)


Local = tuple[StackedBorrows, Allocation, int]


def made(answer: Broken | int) -> int:
    assert not isinstance(answer, Broken), answer.sentence
    return answer


def retagged(local: Local, tag: int, retag: Retag) -> int:
    model, block, _ = local
    return made(model.retag(block, tag, 0, 1, retag))


def shown(local: Local) -> str:
    model, block, _ = local
    (view,) = model.views(block)
    assert isinstance(view, StackView)
    return " ".join(f"{item.permission}:{item.tag}" for item in view.items)


MUT, SHARED, CELL, RAW = RETAGS[0], RETAGS[3], RETAGS[5], RETAGS[8]


def test_a_new_mutable_reference_is_on_top(local: Local) -> None:
    model, block, root = local
    first = retagged(local, root, SHARED)
    retagged(local, root, MUT)
    assert shown(local) == "Unique:1 Unique:3"
    broken = model.access(block, first, 0, 1, Access.READ)
    assert broken is not None
    assert broken.rule == "stacked/read-needs-granting-item"


def test_a_read_disables_and_does_not_pop(local: Local) -> None:
    """So that a raw pointer made before survives a read of what it was made of."""
    model, block, root = local
    mut = retagged(local, root, MUT)
    raw = retagged(local, mut, RAW)
    assert model.access(block, root, 0, 1, Access.READ) is None
    assert shown(local) == "Unique:1 Disabled:2 SharedReadWrite:3"
    assert model.access(block, raw, 0, 1, Access.WRITE) is None
    broken = model.access(block, mut, 0, 1, Access.READ)
    assert broken is not None
    assert broken.kind == "aliasing"


def test_a_disabled_item_keeps_two_blocks_apart(local: Local) -> None:
    model, block, root = local
    lower = retagged(local, root, RAW)
    between = retagged(local, lower, MUT)
    upper = retagged(local, between, RAW)
    assert model.access(block, lower, 0, 1, Access.READ) is None
    assert model.access(block, lower, 0, 1, Access.WRITE) is None
    broken = model.access(block, upper, 0, 1, Access.READ)
    assert broken is not None


def test_a_raw_pointer_joins_its_block_below_shared_references(local: Local) -> None:
    model, block, root = local
    first = retagged(local, root, RAW)
    shared = retagged(local, first, SHARED)
    second = retagged(local, root, RAW)
    assert shown(local) == "Unique:1 SharedReadWrite:2 SharedReadWrite:4 SharedReadOnly:3"
    assert model.access(block, second, 0, 1, Access.WRITE) is None
    assert model.access(block, first, 0, 1, Access.WRITE) is None
    assert model.access(block, shared, 0, 1, Access.READ) is not None


def test_a_new_block_is_put_in_below_others(local: Local) -> None:
    model, block, root = local
    shared = retagged(local, root, SHARED)
    raw = retagged(local, root, RAW)
    assert shown(local) == "Unique:1 SharedReadWrite:3 SharedReadOnly:2"
    assert model.access(block, shared, 0, 1, Access.READ) is None
    assert model.access(block, raw, 0, 1, Access.WRITE) is None
    assert shown(local) == "Unique:1 SharedReadWrite:3"


def test_a_shared_reference_grants_no_write(local: Local) -> None:
    model, block, root = local
    shared = retagged(local, root, SHARED)
    broken = model.access(block, shared, 0, 1, Access.WRITE)
    assert broken is not None
    assert "SharedReadOnly" in broken.sentence
    assert broken.message.endswith("only grants SharedReadOnly permission for this location")


def test_a_cell_reference_leaves_the_stack_above_its_parent_alone(local: Local) -> None:
    model, block, root = local
    raw = retagged(local, root, RAW)
    mut = retagged(local, raw, MUT)
    retagged(local, raw, CELL)
    assert shown(local) == "Unique:1 SharedReadWrite:2 SharedReadWrite:4 Unique:3"
    assert model.access(block, mut, 0, 1, Access.WRITE) is None


def test_a_fault_knows_where_its_tag_was_made_and_died(local: Local) -> None:
    model, block, root = local
    model.at = (1,)
    mut = retagged(local, root, MUT)
    model.at = (2, 0)
    assert model.access(block, root, 0, 1, Access.WRITE) is None
    model.at = (3,)
    broken = model.access(block, mut, 0, 1, Access.READ)
    assert broken is not None
    assert (broken.created_at, broken.invalidated_at) == ((1,), (2, 0))
    assert (broken.tag, broken.offset) == (mut, 0)


@pytest.mark.parametrize(
    ("referrer", "freed"), [(Referrer.MUT, False), (Referrer.SHARED, False), (Referrer.BOX, True)]
)
def test_only_a_box_may_be_freed_while_it_is_an_argument(referrer: Referrer, freed: bool) -> None:
    block = allocation(AllocationKind.HEAP, size=1)
    model = StackedBorrows()
    root = model.new_allocation(block)
    model.enter_call()
    argument = made(model.retag(block, root, 0, 1, Retag(referrer=referrer, function_entry=True)))
    broken = model.deallocate(block, argument)
    assert (broken is None) == freed


def test_a_weak_protector_is_one_against_other_pointers() -> None:
    block = allocation(AllocationKind.HEAP, size=1)
    model = StackedBorrows()
    root = model.new_allocation(block)
    model.enter_call()
    made(model.retag(block, root, 0, 1, RETAGS[-1]))
    broken = model.access(block, root, 0, 1, Access.READ)
    assert broken is not None
    assert broken.kind == "protector"
    assert "weakly protected" in broken.message


def test_a_protector_ends_with_its_call(local: Local) -> None:
    model, block, root = local
    model.enter_call()
    retagged(local, root, Retag(referrer=Referrer.MUT, function_entry=True))
    assert model.leave_call() is None
    assert model.access(block, root, 0, 1, Access.WRITE) is None


def test_a_wildcard_takes_the_topmost_exposed_item_and_forgets_the_stack(local: Local) -> None:
    model, block, root = local
    raw = retagged(local, root, RAW)
    mut = retagged(local, raw, MUT)
    assert model.access(block, WILDCARD_TAG, 0, 1, Access.READ) is not None
    model.expose(block, raw)
    assert model.access(block, WILDCARD_TAG, 0, 1, Access.WRITE) is None
    (view,) = model.views(block)
    assert isinstance(view, StackView)
    assert (view.items, view.unknown_below) == ((), raw + 1)
    assert model.access(block, raw, 0, 1, Access.WRITE) is None
    assert model.access(block, mut, 0, 1, Access.READ) is not None
