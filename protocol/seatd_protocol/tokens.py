"""Where a client's tokens come from, and when it needs a new one."""

from collections.abc import Awaitable, Callable

TokenProvider = Callable[[], Awaitable[str]]

# A token that ends sooner than this is not worth saying hello with: clocks differ, and networks take time.
_MARGIN_S = 30.0


class Tokens:
    """The token of one client: given as a text, or asked of a provider whenever a new one is needed."""

    def __init__(self, source: str | TokenProvider, clock: Callable[[], float]) -> None:
        self._token: str = source if isinstance(source, str) else ""
        self._provider: TokenProvider | None = None if isinstance(source, str) else source
        self._clock = clock
        self._until_s = -float("inf")

    @property
    def renewable(self) -> bool:
        """Whether a new token can be had without asking the application's user."""
        return self._provider is not None

    async def current(self) -> str:
        """A token for `hello`: the one at hand while it is known to last, else a new one."""
        return self._token if self._clock() < self._until_s - _MARGIN_S else await self.fresh()

    async def fresh(self) -> str:
        """A new token. Raises whatever the provider raises. A text that was given is all there is."""
        if self._provider is not None:
            self._token = await self._provider()
        return self._token

    def given(self, token: str) -> None:
        """A new token from the application; how long it lasts is not known here."""
        self._token, self._until_s = token, -float("inf")

    def lasts(self, ttl_s: float) -> None:
        """The server accepted the token, and says how long it lasts."""
        self._until_s = self._clock() + ttl_s

    def spent(self) -> None:
        """The server asks for a new one."""
        self._until_s = -float("inf")
