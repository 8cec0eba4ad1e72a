"""The story that `seatd demo` tells: one license with two seats, and three people."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import click
import jwt

from seatd.cli.answers import Imported, Receipts
from seatd.cli.demo_server import Stage
from seatd.cli.failures import Refused
from seatd.cli.keys import signing_key
from seatd.cli.output import visible
from seatd.cli.rest import call, decoded
from seatd.cli.token import client_claims
from seatd.licensing.keys import sign
from seatd_protocol.client import SeatClient
from seatd_protocol.events import Stopped
from seatd_protocol.messages import Denied, Device, Logout, Welcome

PRODUCT = "CALL_CENTER"
LIMIT = 2
COOLDOWN_S = 60
LOGOUT_S = 15.0  # a logout reaches a client at once, or with the next beat


class Cast:
    """One run's own customer, license and people, so that it can be played any number of times."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.customer = f"demo-{secrets.token_hex(4)}"
        self.license = f"{self.customer}-1"
        self._secret = stage.files.secret.read_text("utf-8").strip()

    def user(self, name: str) -> str:
        """The full name of one of the people."""
        return f"{name}@{self.customer}.example"

    def client(self, name: str) -> SeatClient:
        """A desktop client of one of the people."""
        claims = client_claims(self.user(name), self.customer, ttl_s=3600, now_s=int(time.time()))
        token = jwt.encode(claims, self._secret, "HS256")
        device = Device(kind="desktop", id=f"{name}-laptop", name=f"{name}'s laptop")
        return SeatClient(self.stage.clients_url, token, device, [PRODUCT])

    def license_key(self) -> str:
        """A license key for two seats."""
        now = datetime.now(UTC)
        span = {"valid_from": now - timedelta(minutes=5), "valid_till": now + timedelta(days=1)}
        claims = {
            "iss": "demo",
            "jti": secrets.token_hex(16),
            "iat": int(now.timestamp()),
            "customer": {"id": self.customer, "name": "Demo customer"},
            "domains": [f"{self.customer}.example"],
            "licenses": [
                {"id": self.license, "product": PRODUCT, "kind": "competitive", "limit": LIMIT}
                | {name: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in span.items()}
            ],
        }
        return sign(claims, signing_key(self.stage.files.signing))


async def tell(stage: Stage) -> None:
    """Plays the story and clears up after itself. Raises a failure when something does not go as told."""
    cast = Cast(stage)
    async with _licensed(cast), contextlib.AsyncExitStack() as people:
        anna, ben, cleo, cleo_again, anna_again = [
            await people.enter_async_context(cast.client(name))
            for name in ("anna", "ben", "cleo", "cleo", "anna")
        ]
        _title("Three people sign in over WebSocket")
        await _expect(cast, "anna", anna, Welcome)
        await _expect(cast, "ben", ben, Welcome)
        await _expect(cast, "cleo", cleo, Denied)
        _title("ben leaves, and cleo tries again")
        await ben.bye()
        _line(cast.user("ben"), "left", "the seat is free at once")
        await _expect(cast, "cleo", cleo_again, Welcome)
        _title("An administrator forces anna out")
        await _force_out(cast, anna)
        await _expect(cast, "anna", anna_again, Denied)
        await cleo_again.bye()


@contextlib.asynccontextmanager
async def _licensed(cast: Cast) -> AsyncIterator[None]:
    """The license is there; afterwards it is withdrawn."""
    _title(f"A vendor issues a license key for {LIMIT} seats, and it is imported")
    key = cast.license_key()
    click.echo(f"  {key[:60]}... ({len(key)} characters)")
    answer = await call(cast.stage.server, "POST", "licenses", body={"key": key})
    try:
        done = decoded(answer, Imported)
        _line(cast.license, done.status, f"{PRODUCT}, competitive, limit {LIMIT}, for {done.customer}")
        yield
    finally:
        await call(cast.stage.server, "DELETE", "licenses", cast.license)
        _title("The license is withdrawn: all is as it was")


async def _expect(cast: Cast, name: str, client: SeatClient, expected: type[Welcome | Denied]) -> None:
    """Signs in, says what came of it, and insists that it is what the story tells."""
    try:
        answer = await client.connect()
    except Stopped as stopped:
        raise Refused(f"{cast.user(name)} could not sign in: {stopped}.") from None
    match answer:
        case Welcome():
            seats = ", ".join(f"{seat.product} of license {seat.license}" for seat in answer.seats)
            _line(cast.user(name), "granted", f"a seat: {seats}")
        case Denied():
            _line(cast.user(name), "denied", _denial(answer))
    if not isinstance(answer, expected):
        raise Refused(
            f"{cast.user(name)} should have got another answer; the server is not as the story needs it."
        )


def _denial(denied: Denied) -> str:
    words = [f"{denied.code}: {denied.message}"]
    if denied.limit is not None:
        words.append(f"limit {denied.limit}, used {denied.used}")
    if denied.retry_after_s is not None:
        words.append(f"try again in {denied.retry_after_s} s")
    return "; ".join(words)


async def _force_out(cast: Cast, anna: SeatClient) -> None:
    """The administrator's call and what the client sees of it."""
    seen = asyncio.create_task(_logout_seen(anna))
    try:
        body = {"users": [cast.user("anna")], "reason": "The shift is over", "cooldown_s": COOLDOWN_S}
        receipts = decoded(await call(cast.stage.server, "POST", "logout", body=body), Receipts)
        async with asyncio.timeout(LOGOUT_S):
            logout = await seen
    except TimeoutError:
        raise Refused(
            f"{cast.user('anna')} was not told of the forced logout within {LOGOUT_S:.0f} s."
        ) from None
    finally:
        seen.cancel()
    _line(
        cast.user("anna"),
        "logged out",
        f"{logout.code} by {logout.by or 'nobody named'}: {logout.message!r}; "
        f"may come back in {logout.cooldown_s} s",
    )
    for receipt in receipts.sessions:
        took = "" if receipt.milliseconds is None else f" after {receipt.milliseconds} ms"
        _line("receipt", receipt.outcome, f"session {receipt.session} on node {receipt.node}{took}")


async def _logout_seen(client: SeatClient) -> Logout:
    async for event in client.events():
        if isinstance(event, Logout):
            return event
    raise Refused("The client's connection ended without a word of the forced logout.")


def _title(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


COLORS = {
    "granted": "green",
    "imported": "green",
    "acknowledged": "green",
    "denied": "red",
    "logged out": "red",
}


def _line(who: str, what: str, details: str) -> None:
    click.echo(f"  {visible(who):<28} {click.style(f'{what:<12}', fg=COLORS.get(what))} {visible(details)}")
