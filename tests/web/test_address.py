"""Where a call comes from: what our own proxies say, and nothing that others write."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from seatd.web.address import PROXIES, address_of, networks
from seatd.web.console import ConsoleOptions
from tests.web.conftest import Site
from tests.web.people import PASSWORD, administrator, sign_in


@pytest.mark.parametrize(
    ("remote", "told", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.5", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.5", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.5", "1.1.1.1, 198.51.100.7, 10.0.1.9", "198.51.100.7"),
        ("10.0.0.5", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.5", "[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:10.0.0.5", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.5", "unknown", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.7, <script>", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", None, "10.0.0.5"),
    ],
)
def test_addresses(remote: str, told: str | None, address: str) -> None:
    app = web.Application()
    app[PROXIES] = networks(["10.0.0.5", "10.0.1.0/24"])
    headers = {} if told is None else {"X-Forwarded-For": told}
    request = make_mocked_request("GET", "/", headers, app=app).clone(remote=remote)
    request._match_info = make_mocked_request("GET", "/", app=app)._match_info
    assert address_of(request) == address


class TestBehindAProxy:
    """This machine is the proxy."""

    @pytest.fixture
    def console(self) -> ConsoleOptions:
        return ConsoleOptions(proxies=("127.0.0.1",))

    async def test_one_who_fails_makes_nobody_else_wait(self, site: Site) -> None:
        await administrator(site, "root")
        thief, owner = ({"X-Forwarded-For": address} for address in ("198.51.100.7", "192.0.2.1"))
        for _ in range(5):
            await sign_in(site, thief, name="root", password="wrong")
        assert (await sign_in(site, thief, name="root", password=PASSWORD))[0] == 429
        assert (await sign_in(site, owner, name="root", password=PASSWORD))[0] == 200


async def test_without_a_proxy_nobody_hides_behind_the_header(site: Site) -> None:
    await administrator(site, "root")
    for number in range(5):
        await sign_in(site, {"X-Forwarded-For": f"192.0.2.{number}"}, name="root", password="wrong")
    assert (await sign_in(site, {"X-Forwarded-For": "192.0.2.9"}, name="root", password=PASSWORD))[0] == 429
