"""`seatd` as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which `seatd` is found also where it is not installed."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "protocol")]), **more}


def process(*words: str, code: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Runs `seatd` with these words, or other code with them as its arguments."""
    program = ["-c", code] if code else ["-m", "seatd"]
    return subprocess.run(
        [sys.executable, *program, *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment(**more),
    )
