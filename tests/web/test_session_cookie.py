"""The session's cookie over TLS, or behind something that speaks TLS for us."""

from __future__ import annotations

import pytest

from seatd.web.console import ConsoleOptions
from tests.web.conftest import Site
from tests.web.people import PASSWORD, administrator

PUBLIC = "https://seatd.example"


@pytest.fixture
def console() -> ConsoleOptions:
    return ConsoleOptions(public_url=f"{PUBLIC}/")


async def test_over_tls_it_belongs_to_this_host_alone(site: Site) -> None:
    await administrator(site, "root")
    body = {"name": "root", "password": PASSWORD}
    async with site.admin.post("/api/v1/sign-in", json=body, headers={"Origin": PUBLIC}) as response:
        assert response.status == 200
        assert list(response.cookies) == ["__Host-seatd"]
        cookie = response.cookies["__Host-seatd"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    site.admin.session.cookie_jar.clear()
    for name, status in (("seatd", 401), ("__Host-seatd", 200)):
        headers = {"Cookie": f"{name}={cookie.value}"}
        async with site.admin.get("/api/v1/profile", headers=headers) as response:
            assert response.status == status


@pytest.mark.parametrize(
    "origin", ["http://seatd.example", "https://seatd.example:8443", "https://x.seatd.example"]
)
async def test_another_scheme_port_or_host_is_another_page(site: Site, origin: str) -> None:
    async with site.admin.post("/api/v1/sign-in", json={"name": "x"}, headers={"Origin": origin}) as response:
        assert response.status == 403
