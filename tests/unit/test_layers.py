"""Dependencies point one way: data, pure logic, effects, drivers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "harness"

PURE_REDUCTION = tuple(
    f"reduce.{name}"
    for name in ("edits", "repair", "pointer_edits", "bytecode_edits", "search", "languages")
)

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "mode", "outcome", "target", "_native"),
    ("bytecode", "pointer.program", "result", "resources", "story"),
    ("pointer", "verdict", "ledger"),
    ("cases",),
    ("reference", "lowering", "model", "retelling", "diagnostics", *PURE_REDUCTION),
    ("toolchain",),
    ("engines",),
    ("evidence",),
    ("campaign", "explain", "mutation", "bench", "report.report_file"),
    ("reduce", "repro", "fuzz"),
    ("usercode",),
    ("replay",),
    ("report",),
    ("api",),
    ("pytest_plugin",),
    ("cli",),
)
"""Names below `harness.`; a longer name wins over its package's. A module may import from its
own layer and from those before it."""


def rank(module: str) -> int:
    """The number of the layer that `module` (without `harness.`) belongs to."""
    best = (-1, -1)
    for number, names in enumerate(LAYERS):
        for name in names:
            if module == name or module.startswith(f"{name}."):
                best = max(best, (len(name), number))
    assert best[1] >= 0, f"harness.{module} stands in no layer: add it to LAYERS"
    return best[1]


def imported(path: Path) -> set[str]:
    """The modules below `harness.` that the file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            found |= (
                {f"harness.{alias.name}" for alias in node.names}
                if node.module == "harness"
                else {node.module}
            )
    return {name.removeprefix("harness.") for name in found if name.startswith("harness.")}


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_layer_and_those_before(path: Path) -> None:
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for other in imported(path):
        assert rank(other) <= rank(module), f"harness.{module} imports harness.{other}"
