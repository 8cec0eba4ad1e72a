"""Fuzzing by chance, where there is no Atheris: `python -m tests.fuzz.by_chance TARGET FOLDER SECONDS`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

from tests.fuzz.mutation import inputs
from tests.fuzz.tally import Tally
from tests.fuzz.targets import target


def main(name: str, folder: Path, seconds: int) -> None:
    chosen = target(name)
    tally = Tally(chosen, folder)
    until_s = time.monotonic() + seconds
    for data in inputs(chosen, Random()):
        if time.monotonic() > until_s:
            break
        tally.take(data)
    tally.write()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
