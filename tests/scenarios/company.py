"""A customer of a test's own, so that tests can share servers: its licenses, its users, their devices."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

from seatd.licensing.keys import sign
from seatd_protocol.messages import Device, DeviceKind, Hello, Resume
from tests.canary.marks import mark
from tests.hub.token_factory import SECRET
from tests.hub.token_factory import signed as signed_token
from tests.licensing.build import VENDOR
from tests.scenarios.client import Client
from tests.servers import Server

_numbers = itertools.count(1)


class Company:
    """Signs its users in at any of the nodes; `nodes[0]` is asked for everything else."""

    def __init__(self, *nodes: Server) -> None:
        self.nodes = nodes
        self.name = f"c{next(_numbers)}"
        self.domain = f"{self.name}.example"
        self._clients: list[Client] = []
        self._keys = itertools.count(1)

    # -- licenses ---------------------------------------------------------------------------------

    async def licensed(
        self, *licenses: str, domains: Sequence[str] = (), ids: Sequence[str] = (), **fields: Any
    ) -> list[str]:
        """Imports a key with licenses such as `CALL_CENTER:competitive:5` over REST; answers their ids.

        `ids`: those of licenses to be replaced. `fields` go into every license of the key.
        """
        number = next(self._keys)
        named = ids or [f"{self.name}-{number}-{place}" for place in range(1, len(licenses) + 1)]
        entries = [_entry(id_, text) | fields for id_, text in zip(named, licenses, strict=True)]
        claims = {
            "iss": "vendor",
            "jti": f"{self.name}-key-{number}",
            "iat": 1_700_000_000 + number,
            "customer": {"id": self.name},
            "domains": list(domains or [self.domain]),
            "licenses": entries,
        }
        await self.nodes[0].call("POST", "/api/v1/licenses", {"key": sign(claims, VENDOR)})
        return [entry["id"] for entry in entries]

    async def rows(self) -> list[dict[str, Any]]:
        """The registry's rows of this customer."""
        page = await self.nodes[0].call("GET", f"/api/v1/licenses?customer={self.name}")
        return list(page["items"])

    async def used(self, product: str = "CALL_CENTER") -> int:
        """Seats of a product in use, as the registry says."""
        return sum(row["used"] for row in await self.rows() if row["product"] == product)

    async def sessions(self) -> list[dict[str, Any]]:
        """The sessions that the registry knows of."""
        page = await self.nodes[0].call("GET", f"/api/v1/sessions?customer={self.name}")
        return list(page["items"])

    async def is_parked(self, name: str) -> bool:
        """Whether a session of this user has lost its socket and is kept."""
        rows = await self.sessions()
        return any(row["user"] == self.user(name) and row["state"] == "parked" for row in rows)

    # -- people -----------------------------------------------------------------------------------

    def user(self, name: str) -> str:
        """The full name of a user."""
        return name if "@" in name else f"{name}@{self.domain}"

    def token(self, name: str, *, ttl_s: float = 3600, **claims: Any) -> str:
        """A token of a user, good for `ttl_s`."""
        body = {"sub": self.user(name), "customer": self.name, "exp": time.time() + ttl_s, **claims}
        token = signed_token(SECRET, "HS256", **body)
        mark("client's token", token)
        return token

    def hello(
        self,
        name: str,
        *need: str,
        device: str = "d1",
        kind: DeviceKind = "desktop",
        token: str | None = None,
        resume: Resume | None = None,
        want: Sequence[str] = (),
        allow_unseated: bool = False,
        wait_s: int = 0,
    ) -> Hello:
        """The hello of a user's device."""
        return Hello(
            token=token or self.token(name),
            device=Device(kind=kind, id=device),
            need=need,
            want=tuple(want),
            resume=resume,
            allow_unseated=allow_unseated,
            wait_s=wait_s,
        )

    async def connect(self, node: Server, protocol: str = "seatd.v1.msgpack", **options: bool) -> Client:
        """A connection without a hello yet."""
        client = await Client.connect(node.clients, protocol, **options)
        self._clients.append(client)
        return client

    async def sign_in(
        self,
        node: Server,
        name: str,
        *need: str,
        protocol: str = "seatd.v1.msgpack",
        alive: bool = True,
        acks: bool = False,
        **hello: Any,
    ) -> Client:
        """A client that has had its first answer (`client.first`)."""
        client = await self.connect(node, protocol, alive=alive, acks=acks)
        return await client.sign_in(self.hello(name, *need, **hello))

    def leave(self) -> None:
        """Cuts whatever connection is left."""
        for client in self._clients:
            client.drop()


def _entry(id_: str, text: str) -> dict[str, Any]:
    product, kind, limit = text.split(":")
    return {
        "id": id_,
        "product": product,
        "kind": kind,
        "limit": int(limit),
        "valid_from": "2020-01-01T00:00:00Z",
        "valid_till": "2099-01-01T00:00:00Z",
    }
