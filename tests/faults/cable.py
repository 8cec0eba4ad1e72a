"""What leads from one end to another and can be broken: stories break a cable, be it a proxy or a real network."""

from __future__ import annotations

from typing import Protocol

from tests.faults.proxy import Proxy


class Cable(Protocol):
    """From the near end come requests, from the far end answers."""

    def cut(self) -> None:
        """Nothing passes, and the ends may notice."""

    def drop(self) -> None:
        """Nothing passes, and nobody is told."""

    def lose_answers(self) -> None:
        """Requests arrive, their answers never do."""

    def heal(self) -> None:
        """All is well again."""


class ProxyCable:
    """A proxy. `cut` resets connections and refuses new ones."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def cut(self) -> None:
        """Nothing passes, and both ends are told."""
        self._proxy.cut(refuse=True)

    def drop(self) -> None:
        """Nothing passes; what was sent arrives when it is healed."""
        self._proxy.freeze()

    def lose_answers(self) -> None:
        """Requests arrive, their answers never do."""
        self._proxy.lose_replies()

    def heal(self) -> None:
        """All is well again."""
        self._proxy.restore()
