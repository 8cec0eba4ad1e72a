"""URLs that name several hosts."""

from __future__ import annotations

import pytest

from seatd.store.url import SeveralHosts, several_hosts, weakness


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("redis+sentinel://a/main", SeveralHosts((("a", 26379),), None, None, "main")),
        (
            "redis+sentinel://a:1,b:2,10.0.0.1/main",
            SeveralHosts((("a", 1), ("b", 2), ("10.0.0.1", 26379)), None, None, "main"),
        ),
        ("redis+cluster://a,b:7000", SeveralHosts((("a", 6379), ("b", 7000)), None, None, "")),
        (
            "redis+cluster://[::1],[fe80::1]:7000/",
            SeveralHosts((("::1", 6379), ("fe80::1", 7000)), None, None, ""),
        ),
        ("redis+cluster://:secret@a", SeveralHosts((("a", 6379),), None, "secret", "")),
        (
            "redis+sentinel://u:p@ss/w,rd%20@a,b/m%2Fn",
            SeveralHosts((("a", 26379), ("b", 26379)), "u", "p@ss/w,rd ", "m/n"),
        ),
    ],
)
def test_hosts_credentials_and_name(url: str, found: SeveralHosts) -> None:
    assert several_hosts(url) == found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis+sentinel://a:1,b:2", "name"),
        ("redis+sentinel:///main", "HOST:PORT"),
        ("redis+cluster://a,,b", "HOST:PORT"),
        ("redis+cluster://a:0", "HOST:PORT"),
        ("redis+cluster://a:65536", "HOST:PORT"),
        ("redis+cluster://a:port", "HOST:PORT"),
        ("redis+cluster://a b", "HOST:PORT"),
        ("redis+cluster://a?db=1", "HOST:PORT"),
        ("redis+cluster://::1", "HOST:PORT"),
        ("redis+cluster://a/1", "no path"),
    ],
)
def test_what_names_no_store_is_told_without_the_url(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        several_hosts(url.replace("//", "//user:secret@"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("unix:///run/store.sock", ""),
        ("redis://:pw@127.0.0.1:6379/0", ""),
        ("redis://u:pw@localhost", ""),
        ("rediss://u:pw@store.example", ""),
        ("redis://127.0.0.1:6379", "without a password"),
        ("redis://u@127.0.0.1", "without a password"),
        ("rediss://store.example", "without a password"),
        ("redis://store.example?password=pw", "unencrypted"),
        ("redis://u:pw@10.0.0.5:6379", "unencrypted"),
        ("redis+sentinel://s1,s2/main", "without a password"),
        ("redis+sentinel://u:pw@s1,s2/main", "unencrypted"),
        ("redis+cluster://u:pw@127.0.0.1:7000,[::1]:7001", ""),
        ("redis+cluster://u:pw@127.0.0.1:7000,10.0.0.1", "unencrypted"),
    ],
)
def test_how_somebody_else_might_come_at_it(url: str, said: str) -> None:
    told = weakness(url)
    assert said in told
    assert bool(told) == bool(said)
    assert "pw" not in told
