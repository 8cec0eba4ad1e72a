"""Sessions of administrators: begun at a sign-in, looked up at every call, over when anything that they rest on changes."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from seatd.store.access_values import Grant
from seatd.store.administrator_values import Administrator, SignIn
from seatd.store.redis import Store
from seatd.web.caller import Caller
from seatd.web.errors import Problem
from seatd.web.granting import narrowed
from seatd.web.session_cookie import digest_of, new_secret

CACHE_S = 5.0
"""A session that was ended through another node works this much longer here, and so does an administrator."""
CACHE_SIZE = 1024
SEEN_EVERY_MS = 60_000
PER_PERSON = 20


class ConsoleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`session_ms`: how long a session lasts at the most; `idle_ms`: how long one lasts that nobody uses. `public_url`: where
    browsers reach the console when something stands before it, and `proxies` the addresses and networks of what does."""

    session_ms: int = 12 * 60 * 60 * 1000
    idle_ms: int = 30 * 60 * 1000
    require_totp: bool = False
    public_url: str = ""
    proxies: tuple[str, ...] = ()


class Console:
    """All sessions, as far as this node has to do with them. `clock` gives monotonic seconds, `now_ms` the time of day."""

    def __init__(
        self,
        store: Store,
        options: ConsoleOptions,
        *,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self._store = store
        self._now_ms = now_ms
        self._clock = clock
        self._cache: dict[str, tuple[SignIn, Administrator, float]] = {}

    async def begin(
        self,
        administrator: Administrator,
        address: str,
        *,
        grant: int = 0,
        customer: str = "",
        ends_ms: int | None = None,
        instead_of: str = "",
    ) -> str:
        """A new session; its secret. It ends the one with the secret `instead_of`, so no secret from before outlives a change
        of rights."""
        now_ms = self._now_ms()
        record = SignIn(
            name=administrator.name,
            generation=administrator.generation,
            grant=grant,
            customer=customer,
            created_ms=now_ms,
            seen_ms=now_ms,
            ends_ms=ends_ms or now_ms + self.options.session_ms,
            address=address,
        )
        secret = new_secret()
        await self._make_room(administrator, digest_of(instead_of) if instead_of else "")
        await self._store.put_sign_in(digest_of(secret), record)
        return secret

    async def caller(self, secret: str, address: str, *, is_use: bool = True) -> Caller:
        """Whose session this is; the problem `unauthenticated` when it is nobody's (any more). Not `is_use`: this does not
        count as using it."""
        digest = digest_of(secret)
        session, administrator = await self._found(digest)
        grant = self.grant_of(session, administrator)
        if grant is None or not await self._is_on(digest, session, administrator, is_use):
            self._cache.pop(digest, None)
            raise _over()
        return Caller(
            name=administrator.name,
            grant=grant,
            address=address,
            via="session",
            id=digest,
            ends_ms=session.ends_ms,
            is_held_up=self.is_held_up(administrator),
        )

    def grant_of(self, session: SignIn, administrator: Administrator) -> Grant | None:
        """The grant that is active; None: the administrator has it no more."""
        if session.grant >= len(administrator.grants):
            return None
        grant = administrator.grants[session.grant]
        return narrowed(grant, session.customer) if session.customer else grant

    def needs_totp(self, administrator: Administrator) -> bool:
        """Whether this administrator may not be without one-time codes."""
        return self.options.require_totp or administrator.must_totp

    def is_held_up(self, administrator: Administrator) -> bool:
        """Whether there is nothing else to do before one-time codes are set up."""
        return self.needs_totp(administrator) and not administrator.totp_secret

    def is_live(self, session: SignIn) -> bool:
        """Whether the session has not run out."""
        now_ms = self._now_ms()
        return now_ms < session.ends_ms and now_ms - session.seen_ms < self.options.idle_ms

    async def end(self, *digests: str) -> int:
        """Ends sessions; how many there were."""
        for digest in digests:
            self._cache.pop(digest, None)
        return await self._store.end_sign_ins(*digests)

    async def end_all(self, name: str, *, but: str = "") -> int:
        """Ends the sessions of an administrator, but for one; how many there were."""
        return await self.end(*(digest for digest in await self.sessions(name) if digest != but))

    async def sessions(self, name: str) -> dict[str, SignIn]:
        """The sessions of an administrator that have not run out, by their hash, the oldest first."""
        found = await self._store.sign_ins()
        return {
            digest: session
            for digest, session in found.items()
            if session.name == name and self.is_live(session)
        }

    async def _is_on(self, digest: str, session: SignIn, administrator: Administrator, is_use: bool) -> bool:
        if administrator.disabled or administrator.generation != session.generation:
            return False
        if not self.is_live(session):
            return False
        if not is_use or self._now_ms() - session.seen_ms < min(SEEN_EVERY_MS, self.options.idle_ms // 2):
            return True
        seen = replace(session, seen_ms=self._now_ms())
        if not await self._store.see_sign_in(digest, seen):
            return False
        self._remember(digest, seen, administrator)
        return True

    async def _found(self, digest: str) -> tuple[SignIn, Administrator]:
        session, administrator, until_s = self._cache.get(digest, (None, None, 0.0))
        if session and administrator and self._clock() < until_s:
            return session, administrator
        session = await self._store.sign_in(digest)
        administrator = await self._store.administrator(session.name) if session else None
        if session is None or administrator is None:
            self._cache.pop(digest, None)
            raise _over()
        self._remember(digest, session, administrator)
        return session, administrator

    def _remember(self, digest: str, session: SignIn, administrator: Administrator) -> None:
        if digest not in self._cache and len(self._cache) >= CACHE_SIZE:
            del self._cache[next(iter(self._cache))]
        self._cache[digest] = (session, administrator, self._clock() + CACHE_S)

    async def _make_room(self, administrator: Administrator, instead_of: str) -> None:
        """Throws away what is over, what is replaced, and the oldest of somebody who has very many."""
        found = await self._store.sign_ins()
        own = [digest for digest, session in found.items() if session.name == administrator.name]
        over = {digest for digest, session in found.items() if not self.is_live(session)}
        over |= {digest for digest in own if found[digest].generation != administrator.generation}
        on = [digest for digest in own if digest not in over]
        await self.end(*over, *on[: max(0, len(on) - PER_PERSON + 1)], *filter(None, [instead_of]))


def _over() -> Problem:
    return Problem(
        "unauthenticated",
        "The session is over: sign in again.",
        headers={"WWW-Authenticate": 'Bearer realm="seatd"'},
    )
