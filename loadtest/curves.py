"""`./dev bench curves`: how costs change as sessions, licenses and seats become more; kept as JSON, drawn from it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from loadtest.clients.errors import Unusable
from loadtest.machine import machine
from loadtest.plot import Panel, plot
from loadtest.rows import grants
from loadtest.rows.climb import climbed
from loadtest.rows.cores import together
from loadtest.rows.people import SOURCES
from loadtest.sources import check_room
from loadtest.steps import Steps

Say = Callable[[str], None]
Measure = Callable[[Sequence[int], Say], Awaitable[dict[str, list[float]]]]

LEAST_POINTS = 2
SESSIONS = (100, 300, 1_000, 3_000, 6_000, 10_000, 15_000)
LICENSES = (1, 3, 10, 30, 100, 300, 1_000)
SEATS = (100, 1_000, 10_000, 30_000, 100_000)


async def run(options: argparse.Namespace) -> int:
    """Measures those that are asked for and draws them; with `--plot` draws what was measured before. Raises `Unusable`."""
    if not options.plot:
        options.folder.mkdir(parents=True, exist_ok=True)
        for name, numbers in _chosen(options.only, options.most).items():
            await _measured(name, numbers, options.folder)
    for name, curve in CURVES.items():
        if (recorded := options.folder / f"{name}.json").exists():
            drawn(recorded, curve.panels)
    return 0


def _chosen(names: Sequence[str], most: int | None) -> dict[str, list[int]]:
    """At which numbers which curves are measured; without a name all."""
    found = {}
    for name in names or CURVES:
        if name not in CURVES:
            raise Unusable(f"there is no curve {name!r}; the curves are {', '.join(CURVES)}")
        numbers = CURVES[name].numbers
        found[name] = [number for number in numbers if most is None or number <= most]
        if len(found[name]) < LEAST_POINTS:
            least = numbers[LEAST_POINTS - 1]
            raise Unusable(f"a curve has two points at least: for {name}, --most is {least:,} or more")
    if "sessions" in found:
        check_room(found["sessions"][-1], SOURCES)
    return found


async def _measured(name: str, numbers: Sequence[int], folder: Path) -> None:
    curve = CURVES[name]
    before = machine()
    together()
    with Steps() as steps:
        found = await curve.measure(numbers, steps.say)
    reached = numbers[: min(map(len, found.values()))]
    if not reached:
        raise Unusable(f"not even {numbers[0]:,} were reached")
    told = {"curve": name, "title": curve.title, "machine": before, "at": reached} | found
    (folder / f"{name}.json").write_text(json.dumps(told, indent=2) + "\n")


def drawn(recorded: Path, panels: Mapping[str, tuple[str, str]]) -> None:
    """Writes the picture beside what was recorded."""
    told = json.loads(recorded.read_text())
    made = [
        Panel(title, across, {title: list(zip(told["at"], told[key], strict=True))}, decades=True)
        for key, (title, across) in panels.items()
    ]
    of = told["machine"]
    load = ", ".join(f"{one:.1f}" for one in of["load"])
    note = f"{of['at'][:10]}, {of['cores']} cores, Python {of['python']}; load before it began (1, 5, 15 min): {load}"
    recorded.with_suffix(".svg").write_text(plot(told["title"], note, made))
    print(f"drawn: {recorded.with_suffix('.svg')}")


async def _sessions(numbers: Sequence[int], say: Say) -> dict[str, list[float]]:
    return await climbed(numbers, say)


async def _licenses(numbers: Sequence[int], say: Say) -> dict[str, list[float]]:
    return {"grant_us": list((await grants.by_licenses(numbers, say)).values())}


async def _seats(numbers: Sequence[int], say: Say) -> dict[str, list[float]]:
    cost_us = await grants.by_sessions(numbers, say)
    return {"grant_us": list(cost_us.values())}


class Curve:
    """`panels`: title and axis of what is drawn, by the name in the JSON."""

    def __init__(
        self, title: str, numbers: Sequence[int], measure: Measure, panels: Mapping[str, tuple[str, str]]
    ) -> None:
        self.title, self.numbers, self.measure, self.panels = title, numbers, measure, panels


GRANT = "the store's CPU for a grant (us)"
CURVES = {
    "sessions": Curve(
        "One node, more and more sessions",
        SESSIONS,
        _sessions,
        {
            "session_kib": ("memory per session, node (KiB)", "sessions"),
            "sign_in_us": (
                "the node's CPU per sign-in, beats of those who are there not counted (us)",
                "sessions",
            ),
            "beat_us": ("the node's CPU per beat, idle (us)", "sessions"),
        },
    ),
    "licenses": Curve(
        "A customer with more and more licenses", LICENSES, _licenses, {"grant_us": (GRANT, "licenses")}
    ),
    "seats": Curve(
        "A customer with more and more seats in use", SEATS, _seats, {"grant_us": (GRANT, "seats in use")}
    ),
}
