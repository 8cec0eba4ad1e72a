"""`./dev docs`: the pages of docs/reference/, made from the code. `./dev docs pictures` takes the pictures."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from tests.docs import reference_codes, reference_metrics, reference_rest
from tests.docs.pages import ROOT

FOLDER = ROOT / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "codes.md": reference_codes.page,
    "metrics.md": reference_metrics.page,
    "rest.md": reference_rest.page,
}


def main(words: list[str]) -> None:
    """Writes the pages; with `pictures` takes the pictures instead, all or those that are named."""
    if words[:1] == ["pictures"]:
        from tests.docs import pictures  # only who takes pictures needs a browser

        asyncio.run(pictures.main(words[1:]))
        return
    if words:
        sys.exit("usage: ./dev docs [pictures [NAME...]]")
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
