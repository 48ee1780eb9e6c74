"""Tree Borrows: what spares visits against visiting every node, and its rules one by one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from harness.model.borrows import (
    Access,
    Broken,
    Interior,
    Protector,
    Referrer,
    Retag,
    TreeView,
)
from harness.model.memory import Allocation, AllocationKind
from harness.model.permissions import Permission, Relation, release_access, transition
from harness.model.provenance import WILDCARD_TAG
from harness.model.tree import Location, Node
from harness.model.tree_borrows import TreeBorrows, initial_permission

SIZE = 3


def allocation(size: int = SIZE, number: int = 0) -> Allocation:
    return Allocation(
        number=number,
        name="x",
        kind=AllocationKind.HEAP,
        size=size,
        align=1,
        base=4096,
        created_at=(0,),
    )


MUT = Retag(referrer=Referrer.MUT)
SHARED = Retag(referrer=Referrer.SHARED)
CELL = Retag(referrer=Referrer.SHARED, interior=Interior.ALL)
MUT_CELL = Retag(referrer=Referrer.MUT, interior=Interior.ALL)
MIX = Retag(referrer=Referrer.SHARED, interior=Interior.MIDDLE)
MUT_ARGUMENT = Retag(referrer=Referrer.MUT, function_entry=True)
SHARED_ARGUMENT = Retag(referrer=Referrer.SHARED, function_entry=True)
BOX_ARGUMENT = Retag(referrer=Referrer.BOX, function_entry=True)
RETAGS = (MUT, MUT, SHARED, CELL, MUT_CELL, MIX, MUT_ARGUMENT, SHARED_ARGUMENT, BOX_ARGUMENT)


# The rules, byte by byte and node by node


class Undefined(Exception):
    pass


@dataclass
class PlainNode:
    parent: int | None
    permissions: list[Permission]
    accessed: list[bool]


@dataclass
class PlainTree:
    """The paper's rules with nothing to spare work: each access visits every node."""

    nodes: dict[int, PlainNode]
    implicit_writes: bool = False
    protectors: dict[int, Protector] = field(default_factory=dict)
    calls: list[list[int]] = field(default_factory=list)

    def path(self, tag: int) -> list[int]:
        found: list[int] = []
        at: int | None = tag
        while at is not None:
            found.append(at)
            at = self.nodes[at].parent
        return found

    def access(
        self, tag: int, offset: int, size: int, access: Access, spared: int | None = None
    ) -> None:
        """spared: the node whose descendants do not see the access."""
        ancestors = self.path(tag)
        for byte in range(offset, offset + size):
            for each in ancestors:
                self.step(each, byte, access, Relation.CHILD)
            for each in self.nodes:
                below = spared is not None and spared in self.path(each)
                if each not in ancestors and not below:
                    self.step(each, byte, access, Relation.FOREIGN)

    def step(self, tag: int, byte: int, access: Access, relation: Relation) -> None:
        node = self.nodes[tag]
        protected = tag in self.protectors
        after = transition(node.permissions[byte], access, relation, protected)
        if after is None:
            raise Undefined("aliasing")
        node.accessed[byte] |= relation is Relation.CHILD
        node.permissions[byte] = after
        if protected and node.accessed[byte] and after is Permission.DISABLED:
            raise Undefined("protector")

    def retag(self, tag: int, new: int, offset: int, size: int, retag: Retag) -> None:
        if retag.function_entry:
            box = retag.referrer is Referrer.BOX
            self.protectors[new] = Protector.WEAK if box else Protector.STRONG
            self.calls[-1].append(new)
        frozen_type = retag.interior is Interior.NONE
        outside = initial_permission(
            retag, frozen=frozen_type, outside=True, implicit_writes=self.implicit_writes
        )
        node = PlainNode(tag, [outside] * SIZE, [False] * SIZE)
        for start, end, frozen in retag.interior.parts(size):
            inside = initial_permission(
                retag, frozen=frozen, outside=False, implicit_writes=self.implicit_writes
            )
            access = release_access(inside)
            if access is not None:
                self.access(tag, offset + start, end - start, access)
            for byte in range(offset + start, offset + end):
                node.permissions[byte] = inside
                node.accessed[byte] = access is not None
        self.nodes[new] = node

    def leave_call(self) -> None:
        ended = self.calls.pop()
        for tag in ended:
            node = self.nodes[tag]
            for byte in range(SIZE):
                access = release_access(node.permissions[byte])
                if access is not None and node.accessed[byte]:
                    self.access(tag, byte, 1, access, spared=tag)
        for tag in ended:
            del self.protectors[tag]

    def deallocate(self, tag: int) -> None:
        self.access(tag, 0, SIZE, Access.WRITE)
        for protected, protector in self.protectors.items():
            node = self.nodes[protected]
            for byte in range(SIZE):
                cell = node.permissions[byte] is Permission.CELL
                if protector is Protector.STRONG and node.accessed[byte] and not cell:
                    raise Undefined("protector")


@pytest.mark.parametrize("implicit_writes", [False, True])
@pytest.mark.parametrize("seed", range(250))
def test_visits_are_spared_without_a_change_of_verdict(seed: int, implicit_writes: bool) -> None:
    source = random.Random(seed)
    block = allocation()
    model = TreeBorrows(implicit_writes=implicit_writes)
    root = model.new_allocation(block)
    plain = PlainTree(
        {root: PlainNode(None, [Permission.UNIQUE] * SIZE, [True] * SIZE)}, implicit_writes
    )
    model.enter_call()
    plain.calls.append([])
    for _ in range(80):
        tags = list(plain.nodes)
        tag = source.choice(tags[-5:] if source.random() < 0.8 else tags)
        offset = source.randrange(SIZE)
        size = source.randrange(1, SIZE - offset + 1)
        answer: Broken | int | None = None
        found = ""
        try:
            match source.choice(("access", "access", "retag", "retag", "call", "free")):
                case "access":
                    access = source.choice(tuple(Access))
                    answer = model.access(block, tag, offset, size, access)
                    plain.access(tag, offset, size, access)
                case "retag":
                    retag = source.choice(RETAGS)
                    if retag.interior is Interior.MIDDLE:
                        offset, size = 0, SIZE
                    answer = model.retag(block, tag, offset, size, retag)
                    plain.retag(tag, max(tags) + 1, offset, size, retag)
                    assert answer == max(tags) + 1, answer
                    answer = None
                case "call":
                    model.enter_call()
                    plain.calls.append([])
                    if source.random() < 0.6:
                        for _ in range(source.randrange(1, len(plain.calls) + 1)):
                            answer = answer or model.leave_call()
                            plain.leave_call()
                        if not plain.calls:
                            model.enter_call()
                            plain.calls.append([])
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
        assert answer is None, answer
        assert_same_rights(model, block, plain)


def assert_same_rights(model: TreeBorrows, block: Allocation, plain: PlainTree) -> None:
    """Every node that can still be used has the same permission.

    Below a disabled node, and below a frozen one where reads alone came since, nodes are not
    visited, as nothing can tell.
    """
    for view in model.views(block):
        assert isinstance(view, TreeView)
        for byte in range(view.start, view.end):
            for node in view.nodes:
                ancestors = plain.path(node.item.tag)[1:]
                if any(
                    plain.nodes[each].permissions[byte] in (Permission.DISABLED, Permission.FROZEN)
                    for each in ancestors
                ):
                    continue
                wanted = plain.nodes[node.item.tag]
                assert node.item.permission == str(wanted.permissions[byte])
                assert node.accessed == wanted.accessed[byte]


class EagerLocation(Location):
    """A location in which no node sleeps and nothing is settled: skipping is decided anew."""

    __slots__ = ()

    def copy(self) -> Location:
        other = EagerLocation()
        plain = super().copy()
        for name in Location.__slots__:
            setattr(other, name, getattr(plain, name))
        return other

    def settle(self, node: Node, access: Access) -> None:
        pass


class EagerTreeBorrows(TreeBorrows):
    """Looks at every child of every node on its way, as Miri does."""

    def new_allocation(self, allocation: Allocation) -> int:
        root = super().new_allocation(allocation)
        locations = self._trees[allocation.number].locations
        eager = EagerLocation()
        for name in Location.__slots__:
            setattr(eager, name, getattr(locations.states[0], name))
        locations.states[0] = eager
        return root

    def access(
        self, allocation: Allocation, tag: int, offset: int, size: int, access: Access
    ) -> Broken | None:
        self.wake_all(allocation)
        return super().access(allocation, tag, offset, size, access)

    def retag(
        self, allocation: Allocation, tag: int, offset: int, size: int, retag: Retag
    ) -> int | Broken:
        self.wake_all(allocation)
        return super().retag(allocation, tag, offset, size, retag)

    def leave_call(self) -> Broken | None:
        for allocation, _ in self._calls[-1]:
            self.wake_all(allocation)
        return super().leave_call()

    def wake_all(self, allocation: Allocation) -> None:
        tree = self._trees[allocation.number]
        for location in tree.locations.states:
            for node in tree.nodes.values():
                if node.parent is not None:
                    for awake in location.awake:
                        awake.setdefault(node.parent.tag, {})[node.tag] = node


@pytest.mark.parametrize("seed", range(250))
def test_sleeping_and_settled_nodes_change_nothing_even_with_wildcards(seed: int) -> None:
    """With unknown provenance even a skipped visit can show; so the states must be the same."""
    source = random.Random(seed)
    block = allocation()
    models = (TreeBorrows(), EagerTreeBorrows())
    (root,) = {model.new_allocation(block) for model in models}
    for model in models:
        model.enter_call()
    tags = [root]
    depth = 1
    for _ in range(80):
        tag = source.choice(tags[-5:] if source.random() < 0.8 else tags)
        if source.random() < 0.15:
            tag = WILDCARD_TAG
        offset = source.randrange(SIZE)
        size = source.randrange(1, SIZE - offset + 1)
        access = source.choice(tuple(Access))
        retag = source.choice(RETAGS)
        if retag.interior is Interior.MIDDLE:
            offset, size = 0, SIZE
        what = source.choice(("access", "access", "retag", "retag", "expose", "call"))
        leaves = source.random() < 0.6
        answers: list[object] = []
        for model in models:
            answer: Broken | int | None = None
            match what:
                case "access":
                    answer = model.access(block, tag, offset, size, access)
                case "retag":
                    answer = model.retag(block, tag, offset, size, retag)
                case "expose" if tag != WILDCARD_TAG:
                    model.expose(block, tag)
                case "call" if leaves and depth > 1:
                    answer = model.leave_call()
                case "call":
                    model.enter_call()
            answers.append((answer.rule, answer.tag) if isinstance(answer, Broken) else answer)
        assert answers[0] == answers[1]
        assert models[0].views(block) == models[1].views(block)
        if isinstance(answers[0], tuple):
            return
        if isinstance(answers[0], int):
            tags.append(answers[0])
        if what == "call":
            depth += -1 if leaves and depth > 1 else 1


# The rules, one by one

Model = tuple[TreeBorrows, Allocation, int]


@pytest.fixture
def heap() -> Model:
    block = allocation()
    model = TreeBorrows()
    return model, block, model.new_allocation(block)


def made(answer: Broken | int) -> int:
    assert not isinstance(answer, Broken), answer.sentence
    return answer


def state(heap: Model, tag: int, byte: int = 0) -> str:
    model, block, _ = heap
    for view in model.views(block):
        assert isinstance(view, TreeView)
        if view.start <= byte < view.end:
            for node in view.nodes:
                if node.item.tag == tag:
                    return node.item.permission
    raise AssertionError(f"no node {tag} at {byte}")


def test_a_mutable_reference_is_reserved_until_it_is_written_through(heap: Model) -> None:
    model, block, root = heap
    mut = made(model.retag(block, root, 0, 1, MUT))
    assert state(heap, mut) == "Reserved"
    assert model.access(block, root, 0, 1, Access.READ) is None
    assert state(heap, mut) == "Reserved"
    assert model.access(block, mut, 0, 1, Access.WRITE) is None
    assert state(heap, mut) == "Unique"
    assert model.access(block, root, 0, 1, Access.READ) is None
    assert state(heap, mut) == "Frozen"
    broken = model.access(block, mut, 0, 1, Access.WRITE)
    assert broken is not None
    assert broken.rule == "tree/write-needs-permission"


def test_a_foreign_write_disables(heap: Model) -> None:
    model, block, root = heap
    shared = made(model.retag(block, root, 0, 1, SHARED))
    model.at = (5,)
    assert model.access(block, root, 0, 1, Access.WRITE) is None
    model.at = (6,)
    broken = model.access(block, shared, 0, 1, Access.READ)
    assert broken is not None
    assert (broken.kind, broken.tag, broken.invalidated_at) == ("aliasing", shared, (5,))
    assert broken.message == (
        "Undefined Behavior: read access through _ at ALLOC[0x0] is forbidden"
    )


def test_an_ancestor_must_allow_the_access_too(heap: Model) -> None:
    model, block, root = heap
    shared = made(model.retag(block, root, 0, 1, SHARED))
    child = made(model.retag(block, shared, 0, 1, MUT))
    broken = model.access(block, child, 0, 1, Access.WRITE)
    assert broken is not None
    assert (broken.tag, broken.conflicting) == (child, shared)


def test_a_cell_stands_every_access(heap: Model) -> None:
    model, block, root = heap
    cell = made(model.retag(block, root, 0, 1, CELL))
    for tag in (root, cell, root, cell):
        assert model.access(block, tag, 0, 1, Access.WRITE) is None
    assert state(heap, cell) == "Cell"


def test_a_mutable_reference_to_a_cell_stands_foreign_writes_unless_protected(heap: Model) -> None:
    model, block, root = heap
    mut = made(model.retag(block, root, 0, 1, MUT_CELL))
    assert state(heap, mut) == "Reserved (interior mutable)"
    assert model.access(block, root, 0, 1, Access.WRITE) is None
    assert model.access(block, mut, 0, 1, Access.WRITE) is None
    model.enter_call()
    argument = Retag(referrer=Referrer.MUT, interior=Interior.ALL, function_entry=True)
    protected = made(model.retag(block, root, 1, 1, argument))
    assert state(heap, protected, 1) == "Reserved"


def test_only_the_middle_of_a_mix_is_a_cell(heap: Model) -> None:
    model, block, root = heap
    mix = made(model.retag(block, root, 0, 3, MIX))
    assert [state(heap, mix, byte) for byte in range(3)] == ["Frozen", "Cell", "Frozen"]


def test_bytes_outside_of_a_reborrow_are_covered_lazily(heap: Model) -> None:
    """The first access through it finds what others did there before."""
    model, block, root = heap
    mut = made(model.retag(block, root, 0, 1, MUT))
    assert model.access(block, mut, 2, 1, Access.WRITE) is None
    assert model.access(block, root, 1, 1, Access.WRITE) is None
    broken = model.access(block, mut, 1, 1, Access.READ)
    assert broken is not None
    assert broken.offset == 1


def test_bytes_outside_of_a_reborrow_are_not_protected(heap: Model) -> None:
    model, block, root = heap
    model.enter_call()
    made(model.retag(block, root, 0, 1, MUT_ARGUMENT))
    assert model.access(block, root, 1, 1, Access.WRITE) is None
    broken = model.access(block, root, 0, 1, Access.WRITE)
    assert broken is not None
    assert broken.rule == "tree/foreign-write-spares-protected"


def test_a_conflicted_argument_is_not_written_through_until_its_call_ends(heap: Model) -> None:
    model, block, root = heap
    model.enter_call()
    argument = made(model.retag(block, root, 0, 1, MUT_ARGUMENT))
    assert model.access(block, root, 0, 1, Access.READ) is None
    assert state(heap, argument) == "Reserved (conflicted)"
    assert model.leave_call() is None
    assert model.access(block, argument, 0, 1, Access.WRITE) is None

    model.enter_call()
    argument = made(model.retag(block, root, 1, 1, MUT_ARGUMENT))
    assert model.access(block, root, 1, 1, Access.READ) is None
    broken = model.access(block, argument, 1, 1, Access.WRITE)
    assert broken is not None
    assert broken.rule == "tree/conflicted-is-not-written-while-protected"
    assert broken.kind == "aliasing"


def test_a_protector_ends_with_an_access_that_its_children_do_not_see(heap: Model) -> None:
    model, block, root = heap
    model.enter_call()
    argument = made(model.retag(block, root, 0, 1, MUT_ARGUMENT))
    child = made(model.retag(block, argument, 0, 1, MUT))
    assert model.access(block, child, 0, 1, Access.WRITE) is None
    cousin = made(model.retag(block, root, 1, 1, MUT))
    assert state(heap, cousin) == "Reserved"
    assert model.leave_call() is None
    assert state(heap, child) == "Unique"
    assert state(heap, cousin) == "Disabled"


def test_a_protector_that_only_read_ends_with_a_read(heap: Model) -> None:
    model, block, root = heap
    model.enter_call()
    made(model.retag(block, root, 0, 1, SHARED_ARGUMENT))
    cousin = made(model.retag(block, root, 1, 1, MUT))
    assert model.access(block, cousin, 1, 1, Access.WRITE) is None
    assert model.leave_call() is None
    assert state(heap, cousin) == "Reserved"
    assert state(heap, cousin, 1) == "Unique"


@pytest.mark.parametrize(
    ("retag", "freed"),
    [
        (MUT_ARGUMENT, False),
        (SHARED_ARGUMENT, False),
        (BOX_ARGUMENT, True),
        (Retag(referrer=Referrer.SHARED, interior=Interior.ALL, function_entry=True), True),
    ],
)
def test_who_may_be_freed_while_an_argument(heap: Model, retag: Retag, freed: bool) -> None:
    """A box, and a cell reference, whose protector protects nothing."""
    model, block, root = heap
    model.enter_call()
    argument = made(model.retag(block, root, 0, SIZE, retag))
    through = root if retag is SHARED_ARGUMENT else argument
    broken = model.deallocate(block, through)
    assert (broken is None) == freed, broken


def test_an_empty_argument_does_not_keep_memory(heap: Model) -> None:
    model, block, root = heap
    model.enter_call()
    made(model.retag(block, root, 0, 0, MUT_ARGUMENT))
    assert model.deallocate(block, root) is None


def test_implicit_writes_make_arguments_unique_on_entry() -> None:
    block = allocation()
    model = TreeBorrows(implicit_writes=True)
    root = model.new_allocation(block)
    heap = (model, block, root)
    sibling = made(model.retag(block, root, 0, 1, MUT))
    model.enter_call()
    argument = made(model.retag(block, root, 0, 1, MUT_ARGUMENT))
    assert state(heap, argument) == "Unique"
    assert state(heap, argument, 1) == "Reserved"
    assert state(heap, sibling) == "Disabled"
    promises = Retag(referrer=Referrer.MUT, function_entry=True, may_write=False)
    quiet = made(model.retag(block, argument, 0, 1, promises))
    assert state(heap, quiet) == "Reserved"


def test_a_wildcard_needs_an_exposed_pointer_that_allows_the_access(heap: Model) -> None:
    model, block, root = heap
    shared = made(model.retag(block, root, 0, 1, SHARED))
    broken = model.access(block, WILDCARD_TAG, 0, 1, Access.READ)
    assert broken is not None
    assert broken.rule == "tree/wildcard-needs-exposed-permission"
    model.expose(block, shared)
    assert model.access(block, WILDCARD_TAG, 0, 1, Access.READ) is None
    broken = model.access(block, WILDCARD_TAG, 0, 1, Access.WRITE)
    assert broken is not None
    assert broken.message == (
        "Undefined Behavior: write access through <wildcard> at ALLOC[0x0] is forbidden"
    )


def test_a_wildcard_that_may_be_either_leaves_a_node_as_it_is(heap: Model) -> None:
    """Both are exposed: the write may have been made through either of them."""
    model, block, root = heap
    first, second = (made(model.retag(block, root, 0, 1, MUT)) for _ in range(2))
    model.expose(block, first)
    model.expose(block, second)
    assert model.access(block, WILDCARD_TAG, 0, 1, Access.WRITE) is None
    assert (state(heap, first), state(heap, second)) == ("Reserved", "Reserved")


def test_a_wildcard_is_foreign_to_what_is_not_exposed(heap: Model) -> None:
    model, block, root = heap
    hidden = made(model.retag(block, root, 0, 1, MUT))
    model.expose(block, root)
    assert model.access(block, WILDCARD_TAG, 0, 1, Access.WRITE) is None
    assert state(heap, hidden) == "Disabled"


def test_what_is_made_from_a_wildcard_is_a_tree_of_its_own(heap: Model) -> None:
    model, block, root = heap
    model.expose(block, root)
    made_from = made(model.retag(block, WILDCARD_TAG, 0, 1, MUT))
    (view, *_) = model.views(block)
    assert isinstance(view, TreeView)
    assert [node.parent for node in view.nodes] == [None, None]
    assert model.access(block, made_from, 0, 1, Access.WRITE) is None
    assert model.access(block, root, 0, 1, Access.READ) is None
    assert state(heap, made_from) == "Frozen"


def test_a_released_protector_lets_an_exposed_node_be_written_through_again(heap: Model) -> None:
    model, block, root = heap
    model.enter_call()
    argument = made(model.retag(block, root, 0, 1, MUT_ARGUMENT))
    model.expose(block, argument)
    assert model.access(block, root, 0, 1, Access.READ) is None
    broken = model.access(block, WILDCARD_TAG, 0, 1, Access.WRITE)
    assert broken is not None
    model = TreeBorrows()
    root = model.new_allocation(block)
    model.enter_call()
    argument = made(model.retag(block, root, 0, 1, MUT_ARGUMENT))
    model.expose(block, argument)
    assert model.access(block, root, 0, 1, Access.READ) is None
    assert model.leave_call() is None
    assert model.access(block, WILDCARD_TAG, 0, 1, Access.WRITE) is None
