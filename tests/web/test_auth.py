"""Who may call: tokens by their hash, and the data folder's own."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from seatd.store.access_values import EVERYTHING, TokenRecord
from seatd.web.api.ops import Op
from seatd.web.api.table import OPS
from seatd.web.auth import (
    CACHE_S,
    CACHE_SIZE,
    Authenticator,
    BadTokenFile,
    admin_token,
    operator_record,
    token_hash,
)
from seatd.web.errors import Problem
from tests.web.conftest import TOKEN, Site

BAD_HEADERS = (
    "",
    "Bearer",
    "Bearer wrong",
    f"Basic {TOKEN}",
    f"Bearer {TOKEN} {TOKEN}",
    f"Bearer {TOKEN[:-1]}",
    "Bearer " + "x" * 600,
)


@pytest.mark.parametrize("op", [op for op in OPS if op.action], ids=lambda op: op.name)
async def test_no_call_without_a_good_token(site: Site, op: Op) -> None:
    for header in (None, *BAD_HEADERS):
        headers = {} if header is None else {"Authorization": header}
        async with site.admin.request(op.method, op.url, headers=headers, data=b"{") as response:
            body = json.loads(await response.text())
        assert (response.status, body["code"]) == (401, "unauthenticated")
        error = "" if header is None else ', error="invalid_token"'
        assert response.headers["WWW-Authenticate"] == f'Bearer realm="seatd"{error}'


async def test_a_token_that_has_ended_is_not_known(site: Site) -> None:
    now_ms = site.services.now_ms()
    for ends_ms, expected in ((now_ms + 1, 200), (now_ms, 401)):
        token = f"token-that-ends-at-{ends_ms}-0123456789"
        record = TokenRecord(name="short", grant=EVERYTHING, created_ms=0, expires_ms=ends_ms)
        await site.services.store.register_token(token_hash(token), record)
        headers = {"Authorization": f"Bearer {token}"}
        status, _ = await site.call("GET", "/api/v1/licenses", headers=headers)
        assert status == expected


async def test_the_scheme_is_written_in_any_case(site: Site) -> None:
    status, _ = await site.call("GET", "/api/v1/sessions", headers={"Authorization": f"bearer {TOKEN}"})
    assert status == 200


class Book:
    """A store of tokens that counts how often it is asked."""

    def __init__(self) -> None:
        self.records = {token_hash("good"): operator_record("me", 0)}
        self.asked = 0
        self.now_s = 0.0

    async def lookup(self, digest: str) -> TokenRecord | None:
        self.asked += 1
        return self.records.get(digest)


async def test_a_record_is_kept_for_seconds_and_then_asked_for_again() -> None:
    book = Book()
    authenticator = Authenticator(book.lookup, clock=lambda: book.now_s)
    for _ in range(3):
        assert (await authenticator.caller("Bearer good")).name == "me"
    assert book.asked == 1
    book.records.clear()
    book.now_s += CACHE_S
    with pytest.raises(Problem, match="unauthenticated"):
        await authenticator.caller("Bearer good")


async def test_a_wrong_token_is_not_remembered_and_the_cache_is_bounded() -> None:
    book = Book()
    authenticator = Authenticator(book.lookup, clock=lambda: book.now_s)
    with pytest.raises(Problem):
        await authenticator.caller("Bearer new")
    for number in range(CACHE_SIZE + 1):
        book.records[token_hash(f"new{number or ''}")] = operator_record("me", 0)
        await authenticator.caller(f"Bearer new{number or ''}")
    assert len(authenticator._cache) == CACHE_SIZE


# -- the data folder's token ---------------------------------------------------------------------------


def test_the_first_start_makes_a_token_and_the_next_reads_it(tmp_path: Path) -> None:
    token = admin_token(tmp_path)
    path = tmp_path / "admin.token"
    assert len(token) >= 43
    assert path.read_text() == token + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert admin_token(tmp_path) == token
    assert [entry.name for entry in tmp_path.iterdir()] == ["admin.token"]


def test_two_starts_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(admin_token, [tmp_path] * 32))) == 1


@pytest.mark.parametrize("content", ["", "short", "x" * 600, "two words " * 9, "\u00e9" * 40])
def test_a_file_that_holds_no_token(tmp_path: Path, content: str) -> None:
    (tmp_path / "admin.token").write_text(content)
    with pytest.raises(BadTokenFile, match="delete it") as bad:
        admin_token(tmp_path)
    assert not content or content not in str(bad.value)


def test_a_file_that_others_may_read_is_told(tmp_path: Path) -> None:
    token = admin_token(tmp_path)
    (tmp_path / "admin.token").chmod(0o644)
    with capture_logs() as logs:
        assert admin_token(tmp_path) == token
    assert "chmod 600" in logs[0]["event"]
    assert token not in str(logs)
