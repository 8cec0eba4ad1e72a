"""How a verb is called: named keys and arguments in, word and body out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgpack
import msgspec

from seatd.store import keys
from seatd.store.cluster import Cluster
from seatd.store.connect import Client
from seatd.store.connections import Connections
from seatd.store.pipeline import Pipeline, failure
from seatd.store.scripts import Script, load
from seatd.store.together import Together
from seatd.store.values import StoreUnavailable

Shape = TypeVar("Shape")
Reply = tuple[str, int, Shape]
"""Word, epoch, body."""
Decode = Callable[[bytes], Reply[Shape]]
Told = tuple[str, dict[str, Any]]
"""What one of many calls is told: word and body."""
DEPOSED = "deposed"


class StoreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Times that the scripts reckon with, and the number of partitions (fixed when a deployment is born).

    `client_lease_ms`: the client's right to its seats; `linger_ms`: how long a session without socket keeps them;
    `tomb_ms`: how long an ended session's id is remembered; `recovery_ms`: how long no seat is granted after the store may
    have lost writes; `old_primary_ms`: how long a store that was replaced may go on taking them;
    `events_kept`: about how many entries of a customer's stream of events are kept.
    """

    partitions: int = 64
    node_lease_ms: int = 10_000
    client_lease_ms: int = 24_000
    linger_ms: int = 30_000
    tomb_ms: int = 300_000
    recovery_ms: int = 50_000
    old_primary_ms: int = 11_000
    events_kept: int = 10_000


NO_PARTITION = -1
"""Stands for the partition of what belongs to none."""


class Answer(msgspec.Struct, frozen=True):
    """What a verb said: `word` first, then the body that belongs to it."""

    word: str
    body: dict[str, Any]

    def to(self, shape: type[Shape], **more: Any) -> Shape:
        """The body as a value of `shape`; `more` fills in what the script need not repeat."""
        return msgspec.convert({**self.body, **more}, shape)


class Verbs:
    """Calls scripts, and remembers each partition's epoch (the highest that any answer has carried).

    `on_call` is told of every answered call: the verb, and the seconds that it took from here.
    `on_epoch` is told of a partition whose epoch has risen: the store may have lost writes.
    `on_licenses` is told of a partition whose licenses have been changed from here: some may have to be looked after at once.
    """

    def __init__(
        self,
        client: Client,
        options: StoreOptions,
        *,
        checked: bool = False,
        now_ms: Callable[[], int] | None = None,
        on_call: Callable[[str, float], None] | None = None,
        on_epoch: Callable[[int], None] | None = None,
        on_licenses: Callable[[int], None] | None = None,
    ) -> None:
        self.client = client
        self.options = options
        self.epochs: dict[int, int] = {}
        self.pipeline = client if isinstance(client, Cluster) else Pipeline(client)
        self._scripts = load(checked=checked)
        self._checked = checked
        self._now_ms = now_ms
        self._on_call = on_call
        self.on_epoch = on_epoch
        self.on_licenses = on_licenses
        self._together: Together[tuple[str, str], dict[str, Any], Told] = Together(self._ask_all)
        self._connections = Connections(self.pipeline.disconnect)
        self._common = {
            "recovery_ms": options.recovery_ms,
            "client_lease_ms": options.client_lease_ms,
            "linger_ms": options.linger_ms,
            "tomb_ms": options.tomb_ms,
            "jump_ms": options.node_lease_ms // 2,
            "old_primary_ms": options.old_primary_ms,
            "events_kept": options.events_kept,
        }

    @property
    def partitions(self) -> int:
        """How many partitions the deployment has."""
        return self.options.partitions

    def partition(self, customer: str) -> int:
        """The partition in which a customer lives."""
        return keys.partition_of(customer, self.options.partitions)

    async def call(self, verb: str, customer: str, /, **args: Any) -> Answer:
        """A verb about one customer. Raises `StoreUnavailable` when the outcome is unknown."""
        return await self._run(verb, self.partition(customer), customer, {"customer": customer, **args})

    async def ask(self, verb: str, customer: str, /, **args: Any) -> Answer:
        """A verb about one customer that takes many calls: those of one turn of the event loop go in one script. Raises
        `StoreUnavailable` when the outcome is unknown."""
        if self._checked:
            self._check_args(verb, args)
        word, body = await self._together.of((verb, customer), args)
        if word == "failed":
            raise failure(body["error"])
        return Answer(word, body)

    async def look(self, verb: str, customer: str, decode: Decode[Shape], /, **args: Any) -> Shape:
        """The body of what a verb says that only reads, made by `decode`: of a long answer nothing is built in between."""
        _, body = await self._said(
            verb, self.partition(customer), customer, {"customer": customer, **args}, decode
        )
        return body

    async def call_partition(self, verb: str, partition: int, /, **args: Any) -> Answer:
        """A verb about a whole partition."""
        return await self._run(verb, partition, None, args)

    async def call_deployment(self, verb: str, /, **args: Any) -> Answer:
        """A verb about what belongs to no customer, and so to no partition."""
        return await self._run(verb, NO_PARTITION, None, args)

    async def disconnect(self) -> None:
        """Drops all connections: the next call looks anew for whoever serves the store now."""
        await self.pipeline.disconnect()

    async def publish(self, channel: str, message: str) -> None:
        """Tells everybody who listens on a channel right now. Raises `StoreUnavailable`."""
        await self.pipeline.publish(channel, message)

    async def _run(self, verb: str, partition: int, customer: str | None, args: dict[str, Any]) -> Answer:
        word, body = await self._said(verb, partition, customer, args, _unpacked)
        return Answer(word, body or {})

    async def _said(
        self, verb: str, partition: int, customer: str | None, args: dict[str, Any], decode: Decode[Shape]
    ) -> tuple[str, Shape]:
        script = self._scripts[verb]
        if self._checked and not script.many:
            self._check_args(verb, args)
        names = keys.names_of(script.keys, partition, customer)
        args |= self._common
        args["partition"] = partition
        if self._now_ms:
            args["now_ms"] = self._now_ms()
        word, epoch, body = await self._ask(script, names, args, decode)
        if self._checked and not script.many:
            self._check_answer(verb, word)
        self._note_epoch(partition, epoch)
        return word, body

    async def _ask_all(self, which: tuple[str, str], calls: list[dict[str, Any]]) -> list[Told]:
        verb, customer = which
        answer = await self.call(verb, customer, calls=calls)
        told: list[Told] = answer.body["told"]
        if self._checked:
            for word, _ in told:
                self._check_answer(verb, word)
        return told

    def _check_args(self, verb: str, args: Mapping[str, Any]) -> None:
        if set(args) - {"customer"} != self._scripts[verb].args - {"customer"}:
            raise TypeError(f"{verb} takes {sorted(self._scripts[verb].args)}, not {sorted(args)}")

    def _check_answer(self, verb: str, word: str) -> None:
        if word not in self._scripts[verb].answers and word != "failed":
            raise TypeError(f"{verb} may not answer {word}")

    async def _ask(
        self, script: Script, names: Sequence[str], args: dict[str, Any], decode: Decode[Shape]
    ) -> Reply[Shape]:
        """The script's answer from the store that is in charge now.

        A server that has been replaced says `deposed`, having written nothing: it is asked again over a new connection, which
        leads to the one that replaced it. Where that leads to the same answer, a later epoch was lost with other writes, and
        the partition is told to go beyond it (it opens its recovery window then). A server that has itself written what it has
        cannot have lost anything, so it is never believed.
        """
        for args["insist"] in (False, False, True):
            made = self._connections.number
            args["epoch"] = self.epochs.get(args["partition"], 0)
            started_s = time.perf_counter()
            packed: bytes = msgpack.packb(args, use_bin_type=False)
            answer = await self.pipeline.run(script, names, packed)
            reply = decode(answer)
            if self._on_call:
                self._on_call(script.name, time.perf_counter() - started_s)
            if reply[0] != DEPOSED:
                return reply
            await self._connections.renew(made)
        raise StoreUnavailable("the store that answers has been replaced")

    def _note_epoch(self, partition: int, epoch: int) -> None:
        """A lower epoch than we have seen is a deposed primary speaking: what it grants will be lost, so it does not count.

        (Verbs that only read carry no epoch: 0.)
        """
        known = self.epochs.get(partition, 0)
        if 0 < epoch < known:
            raise StoreUnavailable("the answer came from a store that has been replaced")
        if epoch > known:
            self.epochs[partition] = epoch
            if self.on_epoch:
                self.on_epoch(partition)


def _unpacked(answer: bytes) -> Reply[dict[str, Any] | None]:
    reply: Reply[dict[str, Any] | None] = msgpack.unpackb(
        answer, strict_map_key=False
    )  # milliseconds by count
    return reply
