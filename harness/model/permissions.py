"""Tree Borrows: what one node may do at one byte, and how an access changes that.

The life of a permission is four functions, one for each access and relation: a *child* access
is made through the node or a descendant of it, a *foreign* one through any other node. None
stands for undefined behaviour.

Tables of all states are made from the rules once; the model looks transitions up there.

Source: Villani, Hostert, Dreyer, Jung, "Tree Borrows" (PLDI 2025), and its authoritative form,
MiniRust's `spec/mem/tree_borrows/`, cited by file; what these do not have is cited from Miri's
`src/borrow_tracker/tree_borrows/`, of April 2026.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, assert_never

from harness.model.borrows import Access


class Permission(IntEnum):
    """A node's permission at a byte.

    CELL: a shared reference to interior mutable data; allows everything.
    RESERVED: a mutable reference that was not written through yet; foreign reads are welcome.
    RESERVED_CONFLICTED: one whose bytes were read by others while it was protected; while it
    is protected it may not be written through.
    RESERVED_INTERIOR_MUTABLE: one to interior mutable data; foreign writes are welcome too.
    UNIQUE: a mutable reference that was written through.
    FROZEN: may only be read through. DISABLED: may not be used.

    Source: MiniRust, `state_machine_unprotected.md` and `state_machine_protected.md`; for an
    interior mutable reserved node and `Cell`: Miri, `perms.rs`.
    """

    CELL = 0
    RESERVED = 1
    RESERVED_CONFLICTED = 2
    RESERVED_INTERIOR_MUTABLE = 3
    UNIQUE = 4
    FROZEN = 5
    DISABLED = 6

    def __str__(self) -> str:
        return _NAMES[self]


_NAMES = (
    "Cell",
    "Reserved",
    "Reserved (conflicted)",
    "Reserved (interior mutable)",
    "Unique",
    "Frozen",
    "Disabled",
)

CELL = Permission.CELL
RESERVED = Permission.RESERVED
RESERVED_CONFLICTED = Permission.RESERVED_CONFLICTED
RESERVED_INTERIOR_MUTABLE = Permission.RESERVED_INTERIOR_MUTABLE
UNIQUE = Permission.UNIQUE
FROZEN = Permission.FROZEN
DISABLED = Permission.DISABLED


class Relation(IntEnum):
    """Whether an access is made through the node or a descendant of it, or through another."""

    CHILD = 0
    FOREIGN = 1


def child_read(permission: Permission, protected: bool) -> Permission | None:
    """Reading is allowed to all but the disabled, and changes nothing.

    Source: MiniRust, `state_machine_unprotected.md`, local read.
    """
    return None if permission is DISABLED else permission


def child_write(permission: Permission, protected: bool) -> Permission | None:
    """The first write makes a reserved node unique.

    Source: MiniRust, `state_machine_unprotected.md`, local write; conflicted:
    `state_machine_protected.md`.
    """
    match permission:
        case Permission.CELL:
            return CELL
        case Permission.RESERVED_CONFLICTED if protected:
            return None
        case (
            Permission.RESERVED
            | Permission.RESERVED_CONFLICTED
            | Permission.RESERVED_INTERIOR_MUTABLE
            | Permission.UNIQUE
        ):
            return UNIQUE
        case Permission.FROZEN | Permission.DISABLED:
            return None
        case _:
            assert_never(permission)


def foreign_read(permission: Permission, protected: bool) -> Permission:
    """A unique node is frozen; a reserved one, if protected, may not become unique meanwhile.

    A protected unique node is disabled instead, which its protector does not suffer.

    Source: MiniRust, `state_machine_unprotected.md` and `state_machine_protected.md`,
    foreign read.
    """
    match permission:
        case Permission.RESERVED if protected:
            return RESERVED_CONFLICTED
        case Permission.UNIQUE:
            return DISABLED if protected else FROZEN
        case _:
            return permission


def foreign_write(permission: Permission, protected: bool) -> Permission:
    """Whoever is neither a cell nor reserved for interior mutability is disabled.

    Source: MiniRust, `state_machine_unprotected.md`, foreign write.
    """
    if permission in (CELL, RESERVED_INTERIOR_MUTABLE):
        return permission
    return DISABLED


def transition(
    permission: Permission, access: Access, relation: Relation, protected: bool
) -> Permission | None:
    """The permission after an access; None: undefined behaviour.

    Whether a protector suffers the loss is not decided here, see `step`.
    """
    if relation is Relation.CHILD:
        rule = child_write if access else child_read
        return rule(permission, protected)
    return (foreign_write if access else foreign_read)(permission, protected)


def release_access(permission: Permission) -> Access | None:
    """What a node's protector does when it ends, on the bytes that were accessed through it.

    Source: the paper's section on protector end semantics; MiniRust, `memory.md`; cells do
    nothing: Miri, `perms.rs`, `protector_end_access`.
    """
    if permission is CELL:
        return None
    return Access.WRITE if permission is UNIQUE else Access.READ


class Level(IntEnum):
    """The strongest access that an exposed node allows. Source: Miri, `wildcard.rs`."""

    NONE = 0
    READ = 1
    WRITE = 2


def level(permission: Permission, protected: bool) -> Level:
    """The strongest access through the node itself that is not undefined behaviour there.

    Source: Miri, `perms.rs`, `strongest_allowed_local_access`.
    """
    match permission:
        case Permission.DISABLED:
            return Level.NONE
        case Permission.FROZEN:
            return Level.READ
        case Permission.RESERVED_CONFLICTED if protected:
            return Level.READ
        case _:
            return Level.WRITE


class State(NamedTuple):
    """A node's state at a byte.

    accessed: whether the byte was accessed through it, or reborrowed for it. A protector only
    protects such bytes; of the others the permission says what the first access will find.

    Source: Miri, `tree.rs`, `LocationState`; MiniRust has states of their own for bytes that
    were not accessed.
    """

    permission: Permission
    accessed: bool

    @property
    def code(self) -> int:
        """The state as an index into the tables."""
        return self.permission * 2 + self.accessed


STATES: tuple[State, ...] = tuple(
    State(permission, accessed) for permission in Permission for accessed in (False, True)
)
"""Every state, at the index that is its code."""

FORBIDDEN = -1
"""In a table: the node has not the permission."""

PROTECTED = -2
"""In a table: a protected node would be disabled."""


def step(state: State, access: Access, relation: Relation, protected: bool) -> State | int:
    """One access at one node: its new state, or why it is undefined behaviour.

    Disabling a protected node that was accessed is undefined behaviour.

    Source: MiniRust, `state_machine_protected.md`; Miri, `tree.rs`, `perform_access`.
    """
    permission = transition(state.permission, access, relation, protected)
    if permission is None:
        return FORBIDDEN
    if relation is Relation.CHILD:
        return State(permission, True)
    if protected and state.accessed and permission is DISABLED:
        return PROTECTED
    return State(permission, state.accessed)


def minds(state: State, access: Access, protected: bool) -> bool:
    """Whether a foreign access changes the state of a node, as it is protected or afterwards.

    Where it changes nothing, nor below, a visit can be spared. (Miri notes for each node how
    strong a foreign access it has seen last, which says the same of fewer nodes:
    `foreign_access_skipping.rs`.)
    """
    return any(step(state, access, Relation.FOREIGN, now) != state for now in {protected, False})


def is_lost(state: State, access: Access) -> bool:
    """Whether a foreign access may pass over a node and all that is below it, whatever that is.

    Nothing below a disabled node can ever be used, nor written through below a frozen one.

    Source: Miri, `tree.rs`, `skip_if_known_noop`.
    """
    return state.permission is DISABLED or (state.permission is FROZEN and access is Access.READ)


def _table(access: Access, relation: Relation, protected: bool) -> tuple[int, ...]:
    row = []
    for state in STATES:
        after = step(state, access, relation, protected)
        row.append(after.code if isinstance(after, State) else after)
    return tuple(row)


CHILD = tuple(
    tuple(_table(access, Relation.CHILD, protected) for protected in (False, True))
    for access in Access
)
"""New code by access, protected or not, and code; negative: FORBIDDEN or PROTECTED."""

FOREIGN = tuple(
    tuple(_table(access, Relation.FOREIGN, protected) for protected in (False, True))
    for access in Access
)
"""As `CHILD`."""

MINDS = tuple(
    tuple(tuple(minds(state, access, protected) for state in STATES) for protected in (False, True))
    for access in Access
)
"""By access, protected or not, and code."""

IS_LOST = tuple(tuple(is_lost(state, access) for state in STATES) for access in Access)
"""By access and code."""

PERMISSION = tuple(state.permission for state in STATES)
ACCESSED = tuple(state.accessed for state in STATES)

LEVEL = tuple(
    tuple(level(state.permission, protected) for state in STATES) for protected in (False, True)
)
"""By protected or not, and code."""
