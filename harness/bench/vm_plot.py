"""What soundness costs, as a picture that needs nothing else: an SVG for light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.bench.vm import Cost

_LEFT = 130
_WIDTH = 720
_ROW = 22
_TOP = 60
_LABEL = 90
"""Room for the number at a bar's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    name: str
    words: str
    label: str
    is_sound: bool
    y: int
    width: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tick:
    x: float
    label: str
    is_base: bool


def plot(costs: Sequence[Cost], subtitle: str) -> bytes:
    """A bar for each variant, and a line from its least to its most."""
    longest = max((cost.most for cost in costs), default=1.0)
    scale = (_WIDTH - _LEFT - _LABEL) / longest
    step = next((size for size in (0.25, 0.5, 1.0, 2.0, 5.0) if longest / size <= 10), 10.0)
    ticks = [
        _Tick(x=_x(number * step * scale), label=f"{number * step:g}", is_base=number * step == 1)
        for number in range(int(longest / step) + 1)
    ]
    bars = [
        _Bar(
            name=cost.variant.name,
            words=f"{cost.variant.name}: {cost.variant.promise}",
            label=f"{cost.ratio:.2f}",
            is_sound=cost.variant.sound,
            y=_TOP + number * _ROW,
            width=round(cost.ratio * scale, 1),
            least=_x(cost.least * scale),
            most=_x(cost.most * scale),
        )
        for number, cost in enumerate(costs)
    ]
    environment = Environment(
        loader=PackageLoader("harness.bench", "."), autoescape=True, undefined=StrictUndefined
    )
    return (
        environment.get_template("vm_plot.svg.jinja")
        .render(
            width=_WIDTH,
            height=_TOP + len(bars) * _ROW + 36,
            subtitle=subtitle,
            ticks=ticks,
            bars=bars,
        )
        .encode()
    )


def _x(offset: float) -> float:
    return round(_LEFT + offset, 1)
