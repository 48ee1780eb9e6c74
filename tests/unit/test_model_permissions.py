"""Laws of Tree Borrows' permissions, over every state, access, relation and protector."""

from __future__ import annotations

from itertools import product

import pytest

from harness.model.borrows import Access
from harness.model.permissions import (
    ACCESSED,
    CHILD,
    FORBIDDEN,
    FOREIGN,
    IS_LOST,
    LEVEL,
    MINDS,
    PERMISSION,
    PROTECTED,
    STATES,
    Permission,
    Relation,
    State,
    is_lost,
    level,
    minds,
    release_access,
    step,
    transition,
)

BOTH = (False, True)
ACCESSES = tuple(product(Access, Relation))

ORDER = (
    Permission.RESERVED,
    Permission.RESERVED_CONFLICTED,
    Permission.UNIQUE,
    Permission.FROZEN,
    Permission.DISABLED,
)
"""The way of a permission through its life; others only join it, see `at_most`."""


def possible(state: State, *, protected: bool) -> bool:
    """Whether a node can be in the state: not all of the table's rows are."""
    if state.permission is Permission.UNIQUE and not state.accessed:
        return False
    if protected and state.permission is Permission.RESERVED_INTERIOR_MUTABLE:
        return False
    return not (protected and state.accessed and state.permission is Permission.DISABLED)


def at_most(before: Permission, after: Permission) -> bool:
    """Whether a permission can come after another: rights are lost, never regained."""
    if before is after:
        return True
    if before is Permission.RESERVED_INTERIOR_MUTABLE:
        return after in ORDER[2:]
    if Permission.CELL in (before, after) or after is Permission.RESERVED_INTERIOR_MUTABLE:
        return False
    return ORDER.index(before) < ORDER.index(after)


def every(*, protected: bool) -> list[State]:
    return [state for state in STATES if possible(state, protected=protected)]


def run(state: State | int, *accesses: tuple[Access, Relation], protected: bool) -> State | int:
    for access, relation in accesses:
        if not isinstance(state, State):
            return state
        state = step(state, access, relation, protected)
    return state


def meaning(state: State | int) -> object:
    """Undefined behaviour is all one."""
    return state if isinstance(state, State) else "undefined"


def test_codes_number_all_states() -> None:
    assert [state.code for state in STATES] == list(range(len(STATES)))
    assert len(set(STATES)) == len(STATES) == 7 * 2


@pytest.mark.parametrize("protected", BOTH)
@pytest.mark.parametrize("access", Access)
def test_the_tables_are_the_rules(access: Access, protected: bool) -> None:
    for state in STATES:
        for table, relation in ((CHILD, Relation.CHILD), (FOREIGN, Relation.FOREIGN)):
            entry = table[access][protected][state.code]
            after = step(state, access, relation, protected)
            assert entry == (after.code if isinstance(after, State) else after)
        assert MINDS[access][protected][state.code] == minds(state, access, protected)
        assert IS_LOST[access][state.code] == is_lost(state, access)
        assert LEVEL[protected][state.code] == level(state.permission, protected)
        assert PERMISSION[state.code] is state.permission
        assert ACCESSED[state.code] is state.accessed


@pytest.mark.parametrize("protected", BOTH)
@pytest.mark.parametrize("access", ACCESSES)
def test_repeating_an_access_changes_nothing(
    access: tuple[Access, Relation], protected: bool
) -> None:
    for state in every(protected=protected):
        once = run(state, access, protected=protected)
        assert run(once, access, protected=protected) == once


@pytest.mark.parametrize("protected", BOTH)
@pytest.mark.parametrize("relations", list(product(Relation, Relation)))
def test_reads_commute(relations: tuple[Relation, Relation], protected: bool) -> None:
    first, second = ((Access.READ, relation) for relation in relations)
    for state in every(protected=protected):
        there = run(state, first, second, protected=protected)
        back = run(state, second, first, protected=protected)
        assert meaning(there) == meaning(back), state


@pytest.mark.parametrize("protected", BOTH)
def test_a_foreign_write_leaves_nothing_to_a_foreign_read(protected: bool) -> None:
    """Before it or after it, the read makes no difference unless it is undefined itself."""
    read, write = ((access, Relation.FOREIGN) for access in Access)
    for state in every(protected=protected):
        alone = run(state, write, protected=protected)
        assert meaning(run(state, write, read, protected=protected)) == meaning(alone)
        if isinstance(run(state, read, protected=protected), State):
            assert meaning(run(state, read, write, protected=protected)) == meaning(alone)


@pytest.mark.parametrize("protected", BOTH)
@pytest.mark.parametrize("access", ACCESSES)
def test_rights_are_lost_and_never_regained(
    access: tuple[Access, Relation], protected: bool
) -> None:
    for state in every(protected=protected):
        after = run(state, access, protected=protected)
        if isinstance(after, State):
            assert at_most(state.permission, after.permission)
            assert after.accessed >= state.accessed


@pytest.mark.parametrize("access", ACCESSES)
def test_a_protected_state_is_never_less_protected(access: tuple[Access, Relation]) -> None:
    """A protector only ever forbids more, and only ever takes more rights away."""
    for state in every(protected=True):
        guarded = run(state, access, protected=True)
        free = run(state, access, protected=False)
        if isinstance(guarded, State):
            assert isinstance(free, State)
            assert at_most(free.permission, guarded.permission)
            assert guarded.accessed == free.accessed


def test_a_protected_node_that_was_accessed_is_never_disabled() -> None:
    reachable = {
        state
        for state in every(protected=True)
        if state.permission is not Permission.DISABLED or not state.accessed
    }
    frontier = set(reachable)
    while frontier:
        frontier = {
            after
            for state in frontier
            for access, relation in ACCESSES
            if isinstance(after := step(state, access, relation, True), State)
        } - reachable
        reachable |= frontier
    assert not [
        state for state in reachable if state.accessed and state.permission is Permission.DISABLED
    ]


def test_only_protectors_make_foreign_accesses_undefined() -> None:
    for state, access in product(every(protected=False), Access):
        assert isinstance(step(state, access, Relation.FOREIGN, False), State)


@pytest.mark.parametrize("protected", BOTH)
def test_child_accesses_fail_for_want_of_permission_alone(protected: bool) -> None:
    for state, access in product(every(protected=protected), Access):
        assert step(state, access, Relation.CHILD, protected) != PROTECTED
        assert step(state, access, Relation.FOREIGN, protected) != FORBIDDEN


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("protected", BOTH)
def test_what_a_child_may_do(permission: Permission, protected: bool) -> None:
    """The level of a permission is the strongest child access that it allows."""
    allowed = [
        access
        for access in Access
        if transition(permission, access, Relation.CHILD, protected) is not None
    ]
    assert len(allowed) == level(permission, protected)
    assert allowed == list(Access)[: len(allowed)]


@pytest.mark.parametrize("protected", BOTH)
def test_a_protected_argument_has_the_guarantees_of_noalias(protected: bool) -> None:
    """One writes, the other accesses: undefined in either order, as long as it is protected."""
    child_write, foreign_read, foreign_write, child_read = (
        (Access.WRITE, Relation.CHILD),
        (Access.READ, Relation.FOREIGN),
        (Access.WRITE, Relation.FOREIGN),
        (Access.READ, Relation.CHILD),
    )
    argument = State(Permission.RESERVED, True)
    for pair in (
        (child_write, foreign_read),
        (foreign_read, child_write),
        (child_write, foreign_write),
        (foreign_write, child_write),
        (child_read, foreign_write),
        (foreign_write, child_read),
    ):
        after = run(argument, *pair, protected=protected)
        defined = isinstance(after, State)
        ends_in_own_access = pair[1][1] is Relation.CHILD and pair[0] is not foreign_read
        assert defined == (not protected and not ends_in_own_access), pair


@pytest.mark.parametrize("protected", BOTH)
def test_bytes_that_were_not_accessed_are_not_protected(protected: bool) -> None:
    """What was only reborrowed for other bytes may be written to by others meanwhile."""
    for state in every(protected=protected):
        if not state.accessed:
            for access in Access:
                assert isinstance(step(state, access, Relation.FOREIGN, protected), State)


@pytest.mark.parametrize("protected", BOTH)
@pytest.mark.parametrize("access", Access)
def test_what_does_not_mind_is_not_changed(access: Access, protected: bool) -> None:
    """Neither now nor once it is not protected any more."""
    for state in every(protected=protected):
        if not minds(state, access, protected):
            assert step(state, access, Relation.FOREIGN, protected) == state
            assert step(state, access, Relation.FOREIGN, False) == state


@pytest.mark.parametrize("protected", BOTH)
@pytest.mark.parametrize("access", Access)
def test_nothing_minds_the_same_foreign_access_twice(access: Access, protected: bool) -> None:
    """So that each visit to a node is paid for by a change of its state."""
    for state in every(protected=protected):
        after = step(state, access, Relation.FOREIGN, protected)
        if isinstance(after, State):
            assert not minds(after, access, protected)


@pytest.mark.parametrize("protected", BOTH)
def test_a_child_read_makes_nothing_mind_that_did_not(protected: bool) -> None:
    for state, access in product(every(protected=protected), Access):
        after = step(state, Access.READ, Relation.CHILD, protected)
        if isinstance(after, State):
            assert minds(after, access, protected) == minds(state, access, protected)


@pytest.mark.parametrize("access", Access)
def test_what_is_lost_stays_as_it_is(access: Access) -> None:
    for state in every(protected=False):
        if is_lost(state, access):
            assert step(state, access, Relation.FOREIGN, False) == state


@pytest.mark.parametrize("permission", Permission)
def test_a_protector_ends_with_what_its_node_did(permission: Permission) -> None:
    """The last access is one that the node allows."""
    access = release_access(permission)
    assert (access is None) == (permission is Permission.CELL)
    assert (access is Access.WRITE) == (permission is Permission.UNIQUE)
    if access is not None and permission is not Permission.DISABLED:
        assert level(permission, False) > access
