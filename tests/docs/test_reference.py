"""docs/reference/ says what the code does: it is what `./dev docs` makes of it now."""

from __future__ import annotations

import pytest

from seatd.web.api.table import OPS
from seatd_protocol.codes import DENIAL_CODES
from tests.docs.reference import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_it_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run `./dev docs` and look at what changed"


def test_there_are_no_others() -> None:
    assert {page.name for page in FOLDER.iterdir()} == set(PAGES)


def test_every_call_and_code_is_in_it() -> None:
    rest, codes = ((FOLDER / name).read_text() for name in ("rest.md", "codes.md"))
    assert all(f"### `{op.method} {op.url}`\n" in rest for op in OPS)
    assert all(f"| `{code}` | " in codes for code in DENIAL_CODES)
