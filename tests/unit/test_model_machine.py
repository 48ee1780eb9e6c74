"""The machine: what each statement does, and which rule is named where several are broken."""

from __future__ import annotations

import pytest

from harness.mode import EVERY_MODE, MODES, Mode, parse_mode
from harness.model.machine import examine, judge
from harness.outcome import (
    Outcome,
    Panicked,
    Ran,
    Trapped,
    UndefinedBehaviour,
    Unsupported,
)
from harness.pointer import program as p
from harness.pointer.text import parse

ALL = tuple(map(str, MODES))
STACKED, TREE, NONE = "stacked-permissive", "tree-permissive", "none-permissive"


def run(text: str, mode: str = NONE) -> Outcome:
    return judge(parse(text).program, parse_mode(mode))


def fault(text: str, mode: str = NONE) -> tuple[str, tuple[int, ...] | None]:
    """Kind and path of the undefined behaviour."""
    outcome = run(text, mode)
    assert isinstance(outcome, UndefinedBehaviour), outcome
    return str(outcome.kind), outcome.location.path


def checksum(text: str, mode: str = NONE) -> int | None:
    outcome = run(text, mode)
    assert isinstance(outcome, Ran), outcome
    return outcome.checksum


# Values


@pytest.mark.parametrize("mode", ALL)
def test_values_are_little_endian_and_join_the_checksum(mode: str) -> None:
    text = """
    local x = [1, 2, 3, 4]
    p = &raw mut x
    write p[1]: u16 = 0x0a0b
    read p[0]: u32
    read x[3]: u8
    """
    assert checksum(text, mode) == (0x040A0B01 * 31 + 4) % (1 << 64)


@pytest.mark.parametrize("mode", ALL)
def test_a_call_has_a_checksum_of_its_own(mode: str) -> None:
    text = """
    local x = [7; 2]
    m = &mut x
    read x[0]: u8
    call(a = &mut x) {
        read a[0]: u8
        read a[1]: u8
    }
    """
    assert checksum(text, mode) == 7 * 31 + (7 * 31 + 7)


def test_a_value_is_kept_in_a_variable_and_cut_to_its_width() -> None:
    text = """
    local x = [0xff, 0xff, 0, 0]
    p = &raw mut x
    v = read p[0]: u16
    w = v + 2: u16
    write p[2]: u8 = w
    write p[3]: u8 = v
    read p[0]: u32
    """
    assert checksum(text) == (0xFFFF * 31 + 0xFF01FFFF) % (1 << 64)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("250 + 10: u8", 4),
        ("3 - 5: u16", 0xFFFE),
        ("300 * 300: u16", 90000 % 65536),
        ("0x1f0 & 0xff: u32", 0xF0),
        ("0x0f | 0xf0: u8", 0xFF),
        ("5 ^ 1: u64", 4),
        ("1 << 9: u8", 2),
        ("0x80 >> 3: u8", 0x10),
    ],
)
def test_arithmetic_is_that_of_unsigned_integers(expression: str, value: int) -> None:
    text = (
        f"local x = [0; 8]\np = &raw mut x\nv = {expression}\nwrite p[0]: u64 = v\nread p[0]: u64"
    )
    assert checksum(text) == value


def test_what_depends_on_addresses_has_no_checksum() -> None:
    stored = "local x = [0; 9]\np = &raw mut x\nstore_ptr(p, p)\n"
    assert checksum(stored + "read p[0]: u8") is None
    assert checksum(stored + "read x[8]: u8") == 0
    assert checksum(stored + "write p[0]: u64 = 5\nread p[0]: u64") == 5
    assert checksum("local x = [0; 1]\np = &raw mut x\na = p.addr()\nread x[0]: u8") == 0
    text = "local x = [0; 8]\np = &raw mut x\na = p.addr()\nwrite p[0]: u64 = a\nread p[7]: u8"
    assert checksum(text) is None


def test_a_call_that_reads_an_address_taints_its_caller() -> None:
    text = """
    local x = [0; 8]
    p = &raw mut x
    store_ptr(p, p)
    call() {
        read p[0]: u8
    }
    """
    assert checksum(text) is None


# Memory


@pytest.mark.parametrize("mode", ALL)
def test_uninitialised_bytes_may_be_copied_and_not_read(mode: str) -> None:
    text = """
    local x = [uninit; 4]
    h = alloc(4)
    p = &raw mut x
    write p[0]: u16 = 0x0201
    copy(p, h, 4)
    read h[0]: u16
    read h[1]: u16
    """
    assert fault(text, mode) == ("uninitialised", (6,))


def test_the_range_of_uninitialised_bytes_is_named() -> None:
    text = "h = alloc(6)\nwrite h[0]: u8 = 1\nwrite h[4]: u8 = 1\nread h[0]: u32"
    outcome = run(text)
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.message == (
        "Undefined Behavior: reading memory at ALLOC[0x0..0x4], but memory is uninitialized at "
        "[0x1..0x4], and this operation requires initialized memory"
    )


@pytest.mark.parametrize("mode", ALL)
def test_freed_memory_is_not_touched(mode: str) -> None:
    assert fault("h = alloc(1)\ndealloc(h, 1)\nwrite h[0]: u8 = 1", mode) == ("dangling", (2,))
    assert fault("h = alloc(1)\ndealloc(h, 1)\ndealloc(h, 1)", mode) == ("dangling", (2,))
    assert fault("h = alloc(1)\ndealloc(h, 1)\nm = &*h", mode) == ("dangling", (2,))


@pytest.mark.parametrize("mode", ALL)
def test_a_local_dies_with_its_call(mode: str) -> None:
    text = """
    p = call() {
        local x = [1; 1]
        q = &raw mut x
        read q[0]: u8
        return q
    }
    read p[0]: u8
    """
    assert fault(text, mode) == ("dangling", (1,))


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("local x = [0; 1]\np = &raw mut x\ndealloc(p, 1)", "deallocation"),
        ("static g = [0; 1]\ndealloc(g, 1)", "deallocation"),
        ("h = alloc(2)\nq = h.add(1) as [u8; 1]\ndealloc(q, 2)", "deallocation"),
        ("h = alloc(2)\ndealloc(h, 1)", "deallocation"),
        ("h = alloc(2, align 2)\ndealloc(h, 2)", "deallocation"),
        ("a = 7\nq = transmute(a) as [u8; 1]\ndealloc(q, 1)", "no-provenance"),
    ],
)
def test_what_may_be_freed(text: str, kind: str, mode: str) -> None:
    assert fault(text, mode)[0] == kind


@pytest.mark.parametrize("mode", ALL)
def test_bounds_are_those_of_the_allocation(mode: str) -> None:
    """Not those of the pointer's type, except where Rust's indexing checks them."""
    text = "h = alloc(4)\nq = h as [u8; 1]\nwrite q[2]: u16 = 1\nwrite q[3]: u16 = 1"
    assert fault(text, mode) == ("out-of-bounds", (3,))
    text = "h = alloc(4)\nq = h.wrapping_add(9) as [u8; 1]\nq2 = q.wrapping_sub(9) as [u8; 1]\n"
    assert isinstance(run(text + "write q2[0]: u8 = 1", mode), Ran)
    assert fault(text + "write q[0]: u8 = 1", mode) == ("out-of-bounds", (3,))
    assert fault("h = alloc(4)\nq = h.add(5) as [u8; 0]", mode) == ("out-of-bounds", (1,))
    assert fault("h = alloc(4)\nq = h.sub(1) as [u8; 0]", mode) == ("out-of-bounds", (1,))


def test_an_index_beyond_the_type_panics() -> None:
    outcome = run("local x = [0; 2]\ni = 2\nread x[i]: u8")
    assert isinstance(outcome, Panicked)
    assert outcome.location.path == (2,)


@pytest.mark.parametrize("mode", ALL)
def test_an_element_is_reached_in_bounds_before_it_is_accessed(mode: str) -> None:
    text = "h = alloc(1)\ndealloc(h, 1)\nq = h as [u8; 4]\nread q[2]: u8"
    outcome = run(text, mode)
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.message.startswith("Undefined Behavior: in-bounds pointer arithmetic failed")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("h = alloc(8)\nm = &mut *h align 2", "misaligned"),
        ("h = alloc(8, align 4)\nm = &mut *h align 4", None),
        ("h = alloc(8, align 4)\nq = h.add(2) as [u8; 4]\nm = &*q align 4", "misaligned"),
        ("h = alloc(8, align 4)\nwrite h[4]: aligned u32 = 1", None),
        ("h = alloc(8, align 4)\nwrite h[2]: aligned u32 = 1", "misaligned"),
        ("h = alloc(8)\nwrite h[0]: aligned u16 = 1", "misaligned"),
        ("h = alloc(8)\nwrite h[1]: u16 = 1", None),
    ],
)
def test_alignment_must_hold_wherever_the_allocation_lies(text: str, kind: str | None) -> None:
    if kind is None:
        assert isinstance(run(text), Ran)
    else:
        assert fault(text)[0] == kind


def test_an_aligned_local_is_padded_with_uninitialised_bytes() -> None:
    text = "local x = [1; 3] align 4\np = &raw mut x\nread p[2]: u8\nread p[3]: u16"
    assert fault(text) == ("out-of-bounds", (3,))
    text = "local x = [1; 3] align 4\np = &raw mut x\nread p[2]: u16"
    assert fault(text) == ("uninitialised", (2,))


# Copies and stored pointers


@pytest.mark.parametrize("mode", ALL)
def test_overlap_is_looked_at_after_the_borrows(mode: str) -> None:
    text = "local x = [0; 4]\np = &raw mut x\nq = p.add(1) as [u8; 1]\n"
    assert fault(text + "copy_nonoverlapping(p, q, 2)", mode) == ("overlap", (3,))
    assert isinstance(run(text + "copy_nonoverlapping(p, q, 1)", mode), Ran)
    assert isinstance(run(text + "copy(p, q, 3)", mode), Ran)
    stale = "local x = [0; 4]\nm = &mut x\np = &raw mut *m\nwrite x[0]: u8 = 1\n"
    kind = "overlap" if mode.startswith("none") else "aliasing"
    assert fault(stale + "copy_nonoverlapping(p, p, 4)", mode) == (kind, (4,))


def test_overlapping_ranges_without_a_value_are_not_found() -> None:
    assert isinstance(run("h = alloc(4)\ncopy_nonoverlapping(h, h, 4)"), Ran)


def test_a_copy_may_overlap_itself() -> None:
    text = "local x = [1, 2, 3, 4]\np = &raw mut x\nq = p.add(1) as [u8; 1]\n"
    assert checksum(text + "copy(p, q, 3)\nread p[0]: u32") == 0x03020101


@pytest.mark.parametrize("mode", ALL)
def test_a_fill_is_one_write(mode: str) -> None:
    text = "h = alloc(4)\np = h.add(1) as [u8; 3]\nn = 3\nb = 0x107\n"
    fill = "write h[0]: u8 = 0\nwrite_bytes(p, b, n)\nread h[0]: u32"
    assert checksum(text + fill, mode) == 0x07070700
    assert fault(text + "write_bytes(p, 7, 4)", mode) == ("out-of-bounds", (4,))
    stale = "local x = [0; 4]\nm = &mut x\np = &raw mut *m\nwrite x[0]: u8 = 1\n"
    if not mode.startswith("none"):
        assert fault(stale + "write_bytes(p, 7, 1)", mode) == ("aliasing", (4,))
    assert isinstance(run(stale + "write_bytes(p, 7, 0)", mode), Ran)


def test_nothing_is_longer_than_an_allocation_can_be() -> None:
    text = f"local x = [0; 4]\np = &raw mut x\nn = {1 << 63}\nm = {(1 << 63) - 1}\n"
    for statement in ("copy(p, p, {})", "copy_nonoverlapping(p, p, {})", "write_bytes(p, 0, {})"):
        assert fault(text + statement.format("n")) == ("other", (4,))
        assert fault(text + statement.format("m")) == ("out-of-bounds", (4,))


@pytest.mark.parametrize("mode", ALL)
def test_a_pointer_survives_a_copy_byte_by_byte(mode: str) -> None:
    text = """
    local x = [5; 1]
    local y = [0; 8]
    local z = [0; 8]
    px = &raw mut x
    py = &raw mut y
    pz = &raw mut z
    store_ptr(py, px)
    qy = py.add(3) as [u8; 5]
    qz = pz.add(3) as [u8; 5]
    copy(qy, qz, 5)
    copy(py, pz, 3)
    p = load_ptr(pz) as [u8; 1]
    read p[0]: u8
    """
    assert checksum(text, mode) == 5


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize(
    "change",
    [
        "write py[7]: u8 = 0",
        "write py[0]: u64 = 4096",
        "write py[0]: u8 = b",
        "q = py.add(1) as [u8; 1]\ncopy(q, py, 1)",
        "write_bytes(py, 0, 1)",
        "write_bytes(py, b, 1)",
    ],
)
def test_a_changed_pointer_has_no_provenance(change: str, mode: str) -> None:
    text = f"""
    local x = [5; 1]
    local y = [0; 8]
    px = &raw mut x
    py = &raw mut y
    store_ptr(py, px)
    b = read py[0]: u8
    {change}
    p = load_ptr(py) as [u8; 1]
    read p[0]: u8
    """
    assert fault(text, mode)[0] == "no-provenance"


# Validity of references


@pytest.mark.parametrize("mode", ALL)
def test_a_reference_must_be_to_live_memory(mode: str) -> None:
    outcome = run("h = alloc(1)\ndealloc(h, 1)\nm = &mut *h", mode)
    assert isinstance(outcome, UndefinedBehaviour)
    first = "constructing invalid value" if mode.startswith("none") else "pointer not derefer"
    assert outcome.message.startswith(f"Undefined Behavior: {first}")


@pytest.mark.parametrize("mode", ALL)
def test_a_reference_is_looked_at_again_when_its_place_is_borrowed(mode: str) -> None:
    text = "b = Box::new([1; 1])\nm = &mut *b\ndrop(Box::from_raw(b))\nq = &raw mut *m"
    outcome = run(text, mode)
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.location.path == (3,)
    assert "constructing invalid value of type &mut [u8; 1]" in outcome.message


@pytest.mark.parametrize("mode", ALL)
def test_a_reference_without_provenance(mode: str) -> None:
    text = "a = 4096\nq = transmute(a) as [u8; 1]\nm = &mut *q"
    kind = "out-of-bounds" if mode.startswith("none") else "no-provenance"
    assert fault(text, mode) == (kind, (2,))


@pytest.mark.parametrize("mode", ALL)
def test_an_empty_reference_may_point_anywhere(mode: str) -> None:
    text = "a = 4096\nq = transmute(a) as [u8; 0]\nm = &mut *q\ns = &*m\np = &raw const *s"
    assert isinstance(run(text, mode), Ran)


# Strict and permissive provenance


@pytest.mark.parametrize("mode", ALL)
def test_an_exposed_address_becomes_a_pointer_where_that_is_supported(mode: str) -> None:
    text = """
    local x = [3; 1]
    p = &raw mut x
    a = p.expose_provenance()
    q = with_exposed_provenance_mut(a) as [u8; 1]
    read q[0]: u8
    """
    outcome = run(text, mode)
    if mode.endswith("strict"):
        assert isinstance(outcome, Unsupported)
        assert outcome.location.path == (3,)
    else:
        assert isinstance(outcome, Ran)


@pytest.mark.parametrize("mode", [STACKED, TREE, NONE])
def test_an_address_that_was_not_exposed_gives_nothing(mode: str) -> None:
    text = """
    local x = [3; 1]
    p = &raw mut x
    a = p.addr()
    q = with_exposed_provenance_mut(a) as [u8; 1]
    read q[0]: u8
    """
    assert fault(text, mode) == ("no-provenance", (4,))


@pytest.mark.parametrize("mode", ALL)
def test_with_addr_keeps_provenance(mode: str) -> None:
    text = """
    local x = [3, 4]
    p = &raw mut x
    a = p.addr()
    q = p.with_addr(a + 1) as [u8; 1]
    read q[0]: u8
    """
    assert checksum(text, mode) == 4


# Calls


@pytest.mark.parametrize(("mode", "at"), [(STACKED, (2, 0)), (TREE, (2, 0)), (NONE, None)])
def test_an_argument_is_protected_while_its_call_runs(
    mode: str, at: tuple[int, ...] | None
) -> None:
    text = """
    local x = [0; 1]
    p = &raw mut x
    call(a = &mut *p) {
        write p[0]: u8 = 1
    }
    write p[0]: u8 = 2
    """
    if at is None:
        assert isinstance(run(text, mode), Ran)
    else:
        assert fault(text, mode) == ("protector", at)


def test_arguments_are_made_before_any_is_protected() -> None:
    """The second is made through the first's parent, and takes the first's rights away."""
    text = "local x = [0; 1]\np = &raw mut x\ncall(a = &mut *p, b = &mut *p) {\n}"
    assert fault(text, STACKED) == ("aliasing", (2,))
    assert isinstance(run(text, TREE), Ran)


def test_a_returned_reference_is_retagged_while_protectors_last_and_after() -> None:
    text = """
    local x = [0; 1]
    p = &raw mut x
    r = call(a = &mut *p) {
        m = &mut *a
        return m
    }
    write r[0]: u8 = 1
    read r[0]: u8
    """
    assert checksum(text, STACKED) == 1
    assert checksum(text, TREE) == 1
    text = """
    local x = [0; 2]
    p = &raw mut x
    r = call(a = &mut *p as [u8; 1]) {
        m = &mut *p
        return m
    }
    """
    assert fault(text, STACKED) == ("protector", (2, 0))


@pytest.mark.parametrize("mode", ALL)
def test_what_a_call_returns_by_value(mode: str) -> None:
    text = """
    local x = [9; 1]
    p = &raw mut x
    i = 4
    (q, j, k) = call(s = &x) {
        v = read s[0]: u8
        return (p, v, i)
    }
    write q[0]: u8 = k
    w = j + k: u8
    write q[0]: u8 = w
    read x[0]: u8
    """
    assert checksum(text, mode) == 9 * 31 + 13


@pytest.mark.parametrize("mode", ALL)
def test_a_boxed_argument_is_forgotten_after_the_body(mode: str) -> None:
    text = """
    b = Box::new([1; 1])
    call(a = Box::from_raw(b)) {
        dealloc(b, 1)
    }
    """
    kind, at = fault(text, mode)
    if mode.startswith("none"):
        assert (kind, at) == ("dangling", (1, 1))
    else:
        assert (kind, at) == ("protector", (1, 0))


@pytest.mark.parametrize("mode", ALL)
def test_a_box_is_dropped_by_its_own_pointer(mode: str) -> None:
    assert isinstance(run("b = Box::new([1; 4])\ndrop(Box::from_raw(b))", mode), Ran)
    text = "b = Box::new([1; 4])\nq = b as [u8; 2]\ndrop(Box::from_raw(q))"
    assert fault(text, mode) == ("deallocation", (2,))
    assert isinstance(run("b = Box::new([0; 0])\ndrop(Box::from_raw(b))", mode), Ran)


# Two-phase borrows, slices' pointers, cells


def test_a_two_phase_borrow_stands_a_read_in_between() -> None:
    text = "local x = [1, 2]\nm = &mut x\nm.poke(m[1])\nread x[0]: u8"
    assert checksum(text, STACKED) == 2
    assert checksum(text, TREE) == 2


@pytest.mark.parametrize(("mode", "kind"), [(STACKED, "aliasing"), (TREE, None)])
def test_as_mut_ptr_reborrows_the_slice(mode: str, kind: str | None) -> None:
    text = """
    local x = [0; 4]
    m = &mut x
    p = m.as_mut_ptr()
    q = m.as_mut_ptr()
    write p[0]: u8 = 1
    """
    if kind is None:
        assert isinstance(run(text, mode), Ran)
    else:
        assert fault(text, mode) == (kind, (4,))


def test_as_mut_ptr_does_not_count_as_writing_unasked() -> None:
    text = """
    local x = [0; 4]
    m = &mut x
    p = m.as_ptr()
    q = m.as_mut_ptr()
    read p[0]: u8
    """
    assert isinstance(run(text, "tree-writes-permissive"), Ran)
    text = text.replace("q = m.as_mut_ptr()", "call(a = &mut *m) {\n    }")
    assert isinstance(run(text, TREE), Ran)
    assert fault(
        "local x = [0; 1]\np = &raw mut x\ns = &*p\ncall(a = &mut *p) {\n}\nread s[0]: u8",
        "tree-writes-permissive",
    ) == ("aliasing", (4,))


@pytest.mark.parametrize("mode", ALL)
def test_cells_share_what_they_write(mode: str) -> None:
    text = """
    local x = [0; 4]
    m = &mut x
    c = &cell *m
    d = &cell *c
    write c[0]: u16 = 0x0102
    write d[1]: u8 = 5
    read c[0]: u32
    """
    assert checksum(text, mode) == 0x0502


@pytest.mark.parametrize("mode", ALL)
def test_setting_a_cell_reads_its_old_value(mode: str) -> None:
    assert fault("h = alloc(1)\nc = &cell *h\nwrite c[0]: u8 = 1", mode) == ("uninitialised", (2,))
    text = "h = alloc(1)\nc = &unsafe_cell *h\nwrite c[0]: u8 = 1\nread c[0]: u8"
    assert checksum(text, mode) == 1


@pytest.mark.parametrize("mode", [STACKED, TREE])
def test_only_the_middle_of_a_mix_is_shared_for_writing(mode: str) -> None:
    text = "local x = [1, 2, 3]\np = &raw mut x\nk = &mix *p\n"
    assert checksum(text + "write p[1]: u8 = 9\nread k[1]: u8", mode) == 9
    assert fault(text + "write p[0]: u8 = 9\nread k[0]: u8", mode) == ("aliasing", (4,))


# The end of a program


def test_the_result_is_read_through_its_own_tag() -> None:
    text = "local x = [1, 2, 3]\np = &raw mut x\nwrite p[1]: u8 = 9\nresult x"
    outcome = run(text, STACKED)
    assert isinstance(outcome, Ran)
    assert outcome.memory == b"\x01\x09\x03"
    assert fault("local x = [uninit; 1]\nresult x") == ("uninitialised", (1,))
    text = "local x = [1; 1]\nm = &mut x\nwrite x[0]: u8 = 1\nresult m"
    assert fault(text, STACKED) == ("aliasing", (3,))


@pytest.mark.parametrize("mode", ALL)
def test_a_guard_that_fails_traps_and_leaves_memory_readable(mode: str) -> None:
    text = """
    local x = [7; 2]
    i = 3
    call(s = &x) {
        guard i <= 2 else out-of-bounds 5 addr_res
    }
    write x[0]: u8 = 1
    result x
    """
    outcome = run(text, mode)
    assert isinstance(outcome, Trapped)
    assert (outcome.kind, outcome.memory) == ("out-of-bounds", b"\x07\x07")
    assert (outcome.location.instruction, outcome.location.operand) == (5, "addr_res")


def test_a_judgement_names_rule_tag_and_places() -> None:
    text = "local x = [0; 2]\nm = &mut x\nwrite x[1]: u8 = 1\nread m[1]: u8"
    judgement = examine(parse(text).program, parse_mode("stacked-strict"))
    assert judgement.rule == "stacked/read-needs-granting-item"
    assert judgement.broken is not None
    assert judgement.broken.offset == 1
    outcome = judgement.outcome
    assert isinstance(outcome, UndefinedBehaviour)
    assert outcome.created is not None
    assert outcome.invalidated is not None
    assert (outcome.created.path, outcome.invalidated.path) == ((1,), (2,))
    assert judgement.sentence == (
        "a read access through tag 3 at byte 1 is not granted: its item is no longer in the "
        "stack there"
    )


@pytest.mark.parametrize("mode", EVERY_MODE, ids=str)
def test_judging_is_pure(mode: Mode) -> None:
    text = "local x = [1, 2]\nm = &mut x\nx.poke(m[1])\nwrite m[0]: u8 = 1"
    program = parse(text).program
    assert judge(program, mode) == judge(program, mode)
    assert program == parse(text).program


def test_an_empty_program_runs() -> None:
    outcome = judge(p.PointerProgram(statements=()), MODES[0])
    assert outcome == Ran(checksum=0)


# What hangs on addresses

ADDRESSED = "local x = [0; 8]\np = &raw mut x\na = p.addr()\n"


@pytest.mark.parametrize(
    ("text", "hangs"),
    [
        ("q = p.with_addr(a + 3) as [u8; 1]\nread q[0]: u8", False),
        ("b = 3 + a: u64\nq = p.with_addr(b) as [u8; 1]\nread q[0]: u8", False),
        ("b = a - a: u64\nread p[b]: u8", False),
        ("b = a >> 60: u64\nread p[b]: u8", True),
        ("b = a + a: u64\nq = p.with_addr(b) as [u8; 1]", True),
        ("b = a + 1: u32\nq = p.with_addr(b) as [u8; 1]", True),
        ("q = p.wrapping_add(a) as [u8; 1]", True),
        ("write p[0]: u64 = a\nb = read p[0]: u64\nq = p.with_addr(b) as [u8; 1]", False),
        ("write p[0]: u64 = a\nb = read p[6]: u8\nread p[b]: u8", True),
        ("store_ptr(p, p)\nb = read p[0]: u64\nq = p.with_addr(b + 1) as [u8; 1]", False),
        ("guard a == a else misaligned 0 addr", False),
        ("guard a != 0 else misaligned 0 addr", True),
        ("b = read p[0]: u64\nread p[b]: u8", False),
        (
            "b = 5\nq = transmute(b) as [u8; 1]\nstore_ptr(p, q)\nc = read p[1]: u8\nread p[c]: u8",
            False,
        ),
    ],
)
def test_what_an_address_decides_is_told(text: str, hangs: bool) -> None:
    judgement = examine(parse(ADDRESSED + text).program, parse_mode(NONE))
    assert isinstance(judgement.outcome, Ran)
    assert judgement.hangs_on_addresses == hangs


def test_the_distance_of_two_allocations_is_no_number() -> None:
    text = (
        ADDRESSED + "h = alloc(1)\nb = h.addr()\nc = b - a: u64\nq = p.wrapping_add(c) as [u8; 1]"
    )
    assert examine(parse(text).program, parse_mode(NONE)).hangs_on_addresses
