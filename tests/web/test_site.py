"""What every answer of the admin listener has in common, and its open pages."""

from __future__ import annotations

import pytest

from seatd import __version__
from seatd.web.headers import SECURITY_HEADERS
from tests.web.conftest import Site

OPEN = ("/", "/livez", "/readyz", "/metrics", "/openapi.json")


@pytest.mark.parametrize("path", OPEN)
async def test_open_pages(site: Site, path: str) -> None:
    async with site.admin.get(path) as response:
        assert response.status == 200
        assert await response.text()


@pytest.mark.parametrize("path", [*OPEN, "/nothing", "/api/v1/licenses", "/api/v1/nothing"])
async def test_security_headers_stand_on_every_answer(site: Site, path: str) -> None:
    async with site.admin.get(path) as response:
        assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert response.headers["Server"] == "seatd"


async def test_the_index_says_what_is_where(site: Site) -> None:
    async with site.admin.get("/") as response:
        text = await response.text()
    assert response.content_type == "text/plain"
    assert __version__ in text
    assert all(path in text for path in OPEN)
