"""What a supervisor tells a worker, over its standard input, and what a worker answers, over its standard output."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from seatd.config import Settings


class Plan(NamedTuple):
    """`settings` of this worker: a name of its own, addresses with their ports, the store's URL. `places`: of every worker,
    the socket on which it tells the others of itself. `owns_engine`: the store is the supervisor's own."""

    settings: Settings
    places: Mapping[str, Path]
    owns_engine: bool

    def packed(self) -> bytes:
        """To be sent. Secrets in it are seen neither in the command line nor in the environment."""
        return pickle.dumps(self)

    @staticmethod
    def read(stream: BinaryIO) -> Plan:
        """What the supervisor has sent."""
        plan = pickle.load(stream)  # noqa: S301  # from the process that started this one
        assert isinstance(plan, Plan)
        return plan


class Report(msgspec.Struct, frozen=True):
    """A line: the worker is ready, or why it can not be."""

    failure: str = ""

    def line(self) -> bytes:
        """To be sent."""
        return msgspec.json.encode(self) + b"\n"
