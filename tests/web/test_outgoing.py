"""Where requests of other people's choosing may go, and where not."""

from __future__ import annotations

import pytest

from seatd.web.outgoing import may_reach, url_fault

PUBLIC = ("8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808")
INSIDE = (
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "::1",
    "fc00::1",
    "::ffff:10.0.0.1",
    "100.64.0.1",
)
NEVER = (
    "169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1", "239.1.1.1", "ff02::1", "0.0.0.0", "::",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "100.100.100.200", "168.63.129.16", "fd00:ec2::254",
    "255.255.255.255", "240.0.0.1", "127.1", "0177.0.0.1", "2130706433", "", "localhost",
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert may_reach(address, allow_private=False)


@pytest.mark.parametrize("address", INSIDE)
def test_inside_only_when_allowed(address: str) -> None:
    assert not may_reach(address, allow_private=False)
    assert may_reach(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_never(address: str) -> None:
    assert not may_reach(address, allow_private=True)
    assert not may_reach(address, allow_private=False)


@pytest.mark.parametrize(
    ("address", "allowed"), [("64:ff9b::a00:1", True), ("2002:a00:1::1", True), ("::127.0.0.1", False)]
)
def test_what_leads_inside_by_a_detour(address: str, allowed: bool) -> None:
    assert not may_reach(address, allow_private=False)
    assert may_reach(address, allow_private=True) is allowed


@pytest.mark.parametrize(
    ("url", "private", "plain", "is_fine"),
    [
        ("https://hooks.example/x?y=1", False, False, True),
        ("https://hooks.example:8443", False, False, True),
        ("http://hooks.example/", False, False, False),
        ("http://hooks.example/", False, True, True),
        ("http://127.0.0.1:1/", False, False, False),
        ("http://127.0.0.1:1/", True, False, True),
        ("http://localhost/", True, False, True),
        ("https://localhost/", False, False, False),
        ("https://[::1]/", False, False, False),
        ("https://10.1.2.3/", False, False, False),
        ("https://169.254.169.254/", True, True, False),
        ("https://me@hooks.example/", True, True, False),
        ("https://hooks.example/#part", True, True, False),
        ("https://hooks.example:99999/", True, True, False),
        ("https:///path", True, True, False),
        ("ftp://hooks.example/", True, True, False),
        ("https://hooks.example/a b", True, True, False),
        ("https://hooks.example/\r\nX: y", True, True, False),
        ("https://[::1", True, True, False),
    ],
)
def test_urls(url: str, private: bool, plain: bool, is_fine: bool) -> None:
    assert (url_fault(url, allow_private=private, allow_http=plain) == "") is is_fine
