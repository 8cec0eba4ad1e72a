"""Calls to one server that are made in the same turn of the event loop travel together.

Nothing is sent twice: a lost connection means that the outcome is unknown, and the caller is told so. Only NOSCRIPT, which
says that the script did not run, is answered by loading the script and asking again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from redis import exceptions
from redis.asyncio import Redis

from seatd.store.pools import drop
from seatd.store.scripts import Script
from seatd.store.sentinel import PrimaryPool
from seatd.store.values import StoreUnavailable
from seatd.store.wire import Wire, Words

MAX_BATCH = 256

AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,
    OSError,
    asyncio.TimeoutError,
)
REFUSED_FOR_NOW = frozenset(
    ("LOADING", "BUSY", "MISCONF", "NOREPLICAS", "READONLY", "OOM", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")
)

ASKING: Words = ("ASKING",)
"""Said before a call that a cluster has sent here because the call's slot is just moving in."""


class Call(NamedTuple):
    """One call on its way, and where its answer goes. `script` is what it runs, if it runs one."""

    words: Words
    script: Script | None
    asking: bool
    answer: asyncio.Future[Any]


class Pipeline:
    """Sends calls over `client`, many at a time. `healthy` is False from a failed batch to the next that works."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self.healthy = True
        self._waiting: list[Call] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._scheduled = False
        self._wire: Wire | None = None
        self._opening: asyncio.Task[Wire] | None = None
        self._ending: set[Wire] = set()

    async def run(self, script: Script, keys: Sequence[str], args: bytes, *, asking: bool = False) -> bytes:
        """The script's answer. Raises `StoreUnavailable` when the store gave none (the outcome is unknown)."""
        words = "EVALSHA", script.sha, len(keys), *keys, args
        answer: bytes = await self._put(words, script, asking)
        return answer

    async def command(self, *words: Any, asking: bool = False) -> Any:
        """The answer to a plain command."""
        return self._shaped(words, await self._put(words, None, asking))

    async def commands(self, commands: Iterable[Words]) -> list[Any]:
        """The answers to many plain commands, in their order. Others may come in between."""
        asked = [(words, self._put(words, None, False)) for words in commands]
        answers = await asyncio.gather(*(answer for _, answer in asked))
        return [self._shaped(words, answer) for (words, _), answer in zip(asked, answers, strict=True)]

    async def together(self, *commands: Words, asking: bool = False) -> list[Any]:
        """The answers to commands that go over one connection, in this order and with nothing between them."""
        before = [ASKING] if asking else []
        try:
            answers = await self._sent_apart([*before, *commands])
        except Exception as error:
            told = told_of(error)
            if told is error:
                raise
            raise told from error
        for answer in answers:
            if isinstance(answer, Exception):
                raise told_of(answer) from None
        return answers[len(before) :]

    async def publish(self, channel: str, message: str) -> None:
        """Tells everybody who listens on a channel right now."""
        await self.command("PUBLISH", channel, message)

    async def servers(self) -> list[Redis]:
        """The servers that hold seats: one."""
        return [self.client]

    async def disconnect(self) -> None:
        """Drops all connections, so that the next call finds the server anew; what is on its way may still be answered."""
        if self._wire is not None:
            self._retire(self._wire)
        await drop(self.client.connection_pool)

    async def close(self) -> None:
        """Waits for what is on its way."""
        while self._waiting or self._sending:
            await (asyncio.wait(self._sending) if self._sending else asyncio.sleep(0))
        if self._wire is not None:
            self._retire(self._wire)
        await asyncio.gather(*(wire.ended() for wire in self._ending))

    def _put(self, words: Words, script: Script | None, asking: bool) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        call = Call(words, script, asking, loop.create_future())
        self._waiting.append(call)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return call.answer

    def _shaped(self, words: Words, answer: Any) -> Any:
        shape = self.client.response_callbacks.get(words[0])
        return shape(answer) if shape else answer

    def _flush(self) -> None:
        self._scheduled = False
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MAX_BATCH):
            task = asyncio.create_task(self._send(waiting[start : start + MAX_BATCH]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, calls: list[Call]) -> None:
        try:
            unknown = self._settle(calls, await self._execute(calls))
            if unknown:
                await self._load({call.script.sha: call.script.text for call in unknown if call.script})
                self._fail(
                    self._settle(unknown, await self._execute(unknown)), StoreUnavailable("NOSCRIPT"), None
                )
            self.healthy = True
        except asyncio.CancelledError:
            self._fail(calls, StoreUnavailable("cancelled"), None)
            raise
        except Exception as error:  # whatever broke: nobody may wait for ever
            told = told_of(error)
            self._fail(calls, told, error if told is not error else None)
            if isinstance(told, StoreUnavailable):
                self.healthy = False
                await self.disconnect()

    async def _load(self, texts: Mapping[str, bytes]) -> None:
        for answer in await self._sent([("SCRIPT", "LOAD", text) for text in texts.values()]):
            if isinstance(answer, Exception):
                raise answer

    async def _execute(self, calls: list[Call]) -> list[Any]:
        commands = [
            words for call in calls for words in ((ASKING, call.words) if call.asking else (call.words,))
        ]
        answers = await self._sent(commands)
        if any(isinstance(answer, exceptions.ReadOnlyError) for answer in answers):
            await self.disconnect()  # it was the primary once
        return [answer for words, answer in zip(commands, answers, strict=True) if words is not ASKING]

    async def _sent(self, commands: Sequence[Words]) -> list[Any]:
        wire = self._wire
        if wire is None or not wire.is_good:
            wire = await self._opened()
        if isinstance(self.client.connection_pool, PrimaryPool):
            self.client.connection_pool.look()
        return await wire.send(commands)

    async def _opened(self) -> Wire:
        """A connection for all who want one now."""
        if self._wire is not None:
            self._retire(self._wire)
        if self._opening is None:
            timeout_s = self.client.connection_pool.connection_kwargs["socket_timeout"]
            self._opening = asyncio.create_task(Wire.open(self.client.connection_pool, timeout_s))
            self._opening.add_done_callback(self._is_open)
        return await asyncio.shield(self._opening)

    def _is_open(self, opening: asyncio.Task[Wire]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._wire = opening.result()

    def _retire(self, wire: Wire) -> None:
        self._wire = None
        self._ending = {ending for ending in self._ending if not ending.has_ended} | {wire}
        wire.retire()

    async def _sent_apart(self, commands: Sequence[Words]) -> list[Any]:
        """Over a connection of their own: what takes long there holds up nobody."""
        async with self.client.pipeline(transaction=False) as pipe:
            for words in commands:
                pipe.execute_command(*words)
            return list(await pipe.execute(raise_on_error=False))

    def _settle(self, calls: list[Call], results: list[Any]) -> list[Call]:
        unknown = []
        for call, result in zip(calls, results, strict=True):
            if isinstance(result, exceptions.NoScriptError):
                unknown.append(call)
            elif call.answer.done():
                continue
            elif isinstance(result, Exception):
                call.answer.set_exception(told_of(result))
            else:
                call.answer.set_result(result)
        return unknown

    @staticmethod
    def _fail(calls: list[Call], error: Exception, cause: Exception | None) -> None:
        error.__cause__ = cause
        for call in calls:
            if not call.answer.done():
                call.answer.set_exception(error)


def failure(text: str) -> Exception:
    """What a caller is told of a call that failed in a script for many."""
    return told_of(exceptions.ResponseError(text))


def told_of(error: Exception) -> Exception:
    """What a caller is told of an error: `StoreUnavailable` where the store is away or refuses for now."""
    # uvloop says so when a connection that the peer has reset is written to; asyncio's own loop raises ConnectionError.
    if isinstance(error, RuntimeError) and "handler is closed" in str(error):
        return StoreUnavailable("ConnectionError")
    # redis-py takes the engine's code out of the text of those errors that it has a class for.
    code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
    if code in REFUSED_FOR_NOW:
        return StoreUnavailable(code)
    return StoreUnavailable(type(error).__name__) if isinstance(error, AWAY) else error
