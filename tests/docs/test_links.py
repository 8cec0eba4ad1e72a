"""Every link of the documentation leads somewhere, every page is led to, and no picture is heavy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, pages, prose, text_of

HEAVY_BYTES = 150_000
PICTURES = ROOT / "docs" / "pictures"


def links(page: str) -> list[str]:
    """Targets within the repository."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in target]


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(str(there.relative_to(ROOT))), target


def test_every_page_is_led_to_from_the_index() -> None:
    reached = {
        str(((ROOT / "docs") / target.partition("#")[0]).resolve()) for target in links("docs/README.md")
    }
    own = {str(page) for page in (ROOT / "docs").rglob("*.md")} - {str(ROOT / "docs" / "README.md")}
    assert own <= reached


def test_every_picture_is_shown_and_light() -> None:
    shown = {Path(target).name for page in pages() for target in links(page) if "pictures/" in target}
    there = [*PICTURES.iterdir()]
    assert {picture.name for picture in there} == shown
    assert all(picture.stat().st_size < HEAVY_BYTES for picture in there)


def test_what_is_said_of_others_has_a_source() -> None:
    """Each row of the comparison that speaks of another server has an address of somebody else's."""
    tables = text_of("docs/comparison.md").split("\n## ")[1:]
    rows = [row for table in tables for row in table.splitlines() if row.startswith("| ")]
    heads = [row for row in rows if row.startswith("| |")]
    others = [row for row in rows if row not in heads and not row.startswith("| seatd |")]
    assert len(others) > 20
    assert [row for row in others if "](http" not in row] == []
