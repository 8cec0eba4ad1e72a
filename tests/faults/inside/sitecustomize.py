"""Loaded by a node's Python before anything else, when the folder is on its PYTHONPATH: faults that only come from within.

TESTS_FAULTS_FOLDER names a folder. `clock` in it holds the seconds by which this process's wall clock is off, read with every
look at the clock. On SIGUSR2 the event loop stands still for as many seconds as `block` says.
"""

import os
import signal
import time
from pathlib import Path

_folder = Path(os.environ["TESTS_FAULTS_FOLDER"])
_real = time.time


def _number(name: str) -> float:
    try:
        return float((_folder / name).read_text())
    except (OSError, ValueError):
        return 0.0


def _wall() -> float:
    return _real() + _number("clock")


def _block(*_: object) -> None:
    time.sleep(_number("block"))


time.time = _wall
signal.signal(signal.SIGUSR2, _block)
