"""What of licenses is in use: counted together where they count together, and each license looked at a few times only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from seatd.store.registry_values import LicenseRow
from seatd.web.api.license_use import Uses
from tests.licensing.build import CATALOG
from tests.web.conftest import Site

NOW_MS = 5
ROW = LicenseRow(
    id="l", customer="acme", customer_name="", agency="", external_id="", product="EMAIL", kind="nominal",
    limit=5, overdraft=0, valid_from_ms=0, valid_till_ms=10**15, domains=("a.example",), name="", tier="",
    jti="", iat=0, created_ms=0, used=0, online=0, resources=7,
)  # fmt: skip


def above(*rows: LicenseRow) -> list[int]:
    uses = Uses(iter(rows), CATALOG, NOW_MS)  # which can be gone through once only
    return [uses.of(row).above_limit for row in rows]


def test_licenses_count_together_in_common_domains_of_a_customer_and_product() -> None:
    """The largest of them counts: so it is with all products that limit a resource."""
    both = replace(ROW, domains=("a.example", "b.example"), limit=6)
    other = replace(ROW, domains=("b.example",), limit=3)
    assert above(ROW) == [2]
    assert above(ROW, both) == [1, 1]
    assert above(ROW, both, other) == [1, 1, 1]
    assert above(ROW, other) == [2, 4]
    assert above(ROW, replace(both, customer="beta")) == [2, 1]
    assert above(ROW, replace(both, product="CHAT")) == [2, 1]
    assert above(ROW, replace(both, valid_till_ms=NOW_MS)) == [2, 2]


async def test_the_check_goes_through_the_licenses_of_a_customer_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not through those of all customers for each."""
    looked: list[int] = []
    real = Uses.__init__

    def counted(self: Uses, rows: Sequence[LicenseRow], *more: Any) -> None:
        looked.append(len(rows))
        real(self, rows, *more)

    monkeypatch.setattr(Uses, "__init__", counted)
    for customer in ("acme", "beta", "gamma"):
        email = {"product": "EMAIL", "kind": "nominal"}
        await site.imported({}, email, customer=customer, jti=customer)
    assert (await site.call("GET", "/api/v1/checks"))[0] == 200
    assert looked == [2, 2, 2]
