"""All pages of the documentation, and what stands in their fences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "protocol", "loadtest", "deploy", "seatd/store/lua")
_FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Sample(NamedTuple):
    """A fenced block: its language, the word behind it, and what stands inside."""

    language: str
    name: str
    text: str


def pages() -> list[str]:
    """Every page by its path in the repository."""
    found = [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
    return sorted(str(page.relative_to(ROOT)) for page in found if "node_modules" not in page.parts)


def text_of(page: str) -> str:
    """What the page says."""
    return (ROOT / page).read_text()


def samples(page: str) -> list[Sample]:
    """The fenced blocks of a page, in their order."""
    return [Sample(*found) for found in _FENCE.findall(text_of(page))]


def commands(block: str) -> list[str]:
    """The commands of a block of shell, each on one line, without comments."""
    lines = re.sub(r"\\\n\s*", " ", block).splitlines()
    return [line for line in (re.sub(r"(^|\s+)# .*$", "", line).strip() for line in lines) if line]


def prose(page: str) -> str:
    """A page without its fences."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def spans(page: str) -> Iterator[str]:
    """What stands between single backquotes."""
    yield from re.findall(r"`([^`\n]+)`", prose(page))


def anchors(page: str) -> set[str]:
    """What a link to a heading of the page may name."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}
