"""Fuzzing led by coverage (Atheris, which is libFuzzer for Python): `python -m tests.fuzz.guided TARGET FOLDER SECONDS`.

A process of its own: libFuzzer never returns. What is new is kept in FOLDER/corpus, findings in FOLDER/findings.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

from tests.fuzz.tally import Tally

LONGEST = 20_000
OURS = ["seatd", "seatd_protocol", "json", "tomllib", "csv", "jwt"]


def main(name: str, folder: Path, seconds: int) -> None:
    with atheris.instrument_imports(include=OURS):
        from tests.fuzz.targets import target

        chosen = target(name)
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for at, data in enumerate(chosen.seeds()):
        (corpus / f"seed-{at}").write_bytes(data)
    words = folder / "words"
    words.write_text("".join(map(_quoted, chosen.words)))
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": 20,
        "rss_limit_mb": 2048,
        "dict": words,
        "artifact_prefix": f"{folder}/libfuzzer-",
        "print_final_stats": 0,
        "verbosity": 0,
    }
    tally = Tally(chosen, folder)
    atheris.Setup(
        [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)], tally.take
    )
    atheris.Fuzz()


def _quoted(word: bytes) -> str:
    """A line of libFuzzer's dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
