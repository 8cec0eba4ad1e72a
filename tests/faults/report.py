"""What a run found, as JSON for machines and a table for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tests.faults.checker import Violation
from tests.faults.fault import Fault, Figure

Verdict = Literal["pass", "fail", "not run"]
Network = Literal["proxy", "namespaces"]
PROXY = "a proxy of our own stands in for it (cut, half-open, one-way, slow, dripping)"
NAMESPACES = "network namespaces with links and routes that are really broken"
SHOWN = 5


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of one fault. `reason`: why it failed, or was not run; `network`: what was, or stood in for, a bad one."""

    id: str
    title: str
    criterion: str
    run: int
    verdict: Verdict
    reason: str = ""
    figures: list[Figure] = []
    remarks: list[str] = []
    violations: list[str] = []
    network: Network = "proxy"
    events: int = 0
    took_s: float = 0.0


class Report(msgspec.Struct, kw_only=True):
    """A whole run: `times` says which settings the servers had."""

    times: str
    machine: str
    results: list[Result]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Writes `report.json` and `report.md`."""
        as_json, as_text = folder / "report.json", folder / "report.md"
        as_json.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        as_text.write_text(self.table())
        return as_json, as_text

    def table(self) -> str:
        """A table in Markdown, the failures behind it."""
        count = {
            verdict: sum(r.verdict == verdict for r in self.results)
            for verdict in ("pass", "fail", "not run")
        }
        head = [
            "# Faults",
            "",
            f"{count['pass']} passed, {count['fail']} failed, {count['not run']} not run. Times: {self.times}. "
            f"Network: {_network(self.results)}. Machine: {self.machine}.",
            "",
            "| fault | what was done | criterion | measured | verdict |",
            "|---|---|---|---|---|",
        ]
        return "\n".join([*head, *map(_row, self.results), *_details(self.results), ""])


def judged(
    fault: Fault,
    run: int,
    figures: Sequence[Figure],
    violations: Sequence[Violation],
    *,
    error: str = "",
    remarks: Sequence[str] = (),
    network: Network = "proxy",
    events: int = 0,
    took_s: float = 0.0,
) -> Result:
    """The verdict: every figure within its bound, no violation, no error."""
    wrong = [str(figure) for figure in figures if not figure.ok]
    reasons = [error] if error else []
    reasons += [f"{len(violations)} violations"] if violations else []
    reasons += wrong
    return Result(
        id=fault.id,
        title=fault.title,
        criterion=fault.criterion,
        run=run,
        verdict="fail" if reasons else "pass",
        reason="; ".join(reasons),
        figures=list(figures),
        remarks=list(remarks),
        violations=[str(violation) for violation in violations],
        network=network,
        events=events,
        took_s=round(took_s, 1),
    )


def not_run(fault: Fault, reason: str) -> Result:
    """A fault whose story cannot be told here."""
    return Result(
        id=fault.id, title=fault.title, criterion=fault.criterion, run=0, verdict="not run", reason=reason
    )


def machine() -> str:
    """What the figures were measured on."""
    return (
        f"{os.cpu_count()} CPUs, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _network(results: Sequence[Result]) -> str:
    """What was, or stood in for, the network of those that were run."""
    run = [result for result in results if result.verdict != "not run"]
    real = dict.fromkeys(result.id for result in run if result.network == "namespaces")
    said = [PROXY] if any(result.network == "proxy" for result in run) else []
    said += [f"{NAMESPACES} for {', '.join(real)}"] if real else []
    return "; ".join(said) or "none was used"


def _row(result: Result) -> str:
    measured = "; ".join([*map(str, result.figures), *result.remarks])
    verdict = result.verdict + (f": {result.reason}" if result.reason else "")
    run = f" #{result.run}" if result.run > 1 else ""
    cells = (result.id + run, result.title, result.criterion, measured or "-", verdict)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _details(results: Sequence[Result]) -> list[str]:
    lines = []
    for result in results:
        if result.violations:
            lines += ["", f"## {result.id}, run {result.run}", ""]
            lines += [f"* {violation}" for violation in result.violations[:SHOWN]]
            if len(result.violations) > SHOWN:
                lines.append(f"* and {len(result.violations) - SHOWN} more")
    return lines
