"""docs/rest.md says what the code does: every call, field, code and notice, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec

from seatd.store.access_values import ROLES
from seatd.store.account_values import PERMISSIONS
from seatd.web.api.customer_views import CustomerRow, CustomerView
from seatd.web.api.license_import import NOTICES
from seatd.web.api.license_rows import LicenseView
from seatd.web.api.licenses import Sort
from seatd.web.api.logout import LogoutReceipt
from seatd.web.api.table import OPS
from seatd.web.errors import PROBLEMS
from seatd.web.rights import RIGHTS

TEXT = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()


def section(title: str) -> str:
    return TEXT.split(f"# {title}\n", 1)[1].split("\n## ")[0].split("\n### ")[0]


def test_every_call() -> None:
    named = re.findall(r"^\| `([A-Z]+ /api/[^`]*)`", section("Calls"), re.MULTILINE)
    assert sorted(named) == sorted(f"{op.method} {op.url}" for op in OPS)


def test_every_problem() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", section("Problems"), re.MULTILINE)
    assert rows == [(code, str(kind.status), kind.title) for code, kind in PROBLEMS.items()]


def test_every_field_of_a_license() -> None:
    cells = re.findall(r"^\| (`.*?`) \|", section("A license"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(cells))) == {
        f.name for f in msgspec.structs.fields(LicenseView)
    }


def test_every_order() -> None:
    sentence = section("A license").rpartition("`sort` takes")[2]
    assert set(re.findall(r"`(\w+)`", sentence)) == {name for name in get_args(Sort) if name[0] != "-"}
    assert {f"-{name}" for name in get_args(Sort) if name[0] != "-"} <= set(get_args(Sort))


def test_every_notice() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section("Importing a key"), re.MULTILINE)
    assert dict(rows) == NOTICES


def test_every_outcome() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section("Forced logout"), re.MULTILINE)
    hint = next(field.type for field in msgspec.structs.fields(LogoutReceipt) if field.name == "outcome")
    assert rows == list(get_args(hint))


def test_every_right() -> None:
    text = (Path(__file__).parents[2] / "docs" / "administrators.md").read_text()
    rows = re.findall(r"^\| `([\w.]+)` \| (.*) \|$", text.split("## What a role may do")[1], re.MULTILINE)
    assert [(action, tuple(cells.split(" | "))) for action, cells in rows] == list(RIGHTS.items())
    assert f"| action | {' | '.join(ROLES)} |" in text


def test_every_field_of_a_customer() -> None:
    cells = re.findall(r"^\| (`.*?`) \|", section("A customer"), re.MULTILINE)
    names = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert set(names) == {field.name for field in msgspec.structs.fields(CustomerView)}
    row = {field.name for field in msgspec.structs.fields(CustomerRow)}
    assert set(names[: names.index("products") + 1]) == row


def test_every_permission() -> None:
    cell = re.search(r"^\| `permissions` \| (.*) \|$", section("A customer"), re.MULTILINE)
    assert cell
    assert tuple(re.findall(r"`(\w+)`", cell[1])) == PERMISSIONS
