"""Reads the fields of a JSON object one by one and notes what is wrong instead of stopping at it.

A reader answers with a harmless value (empty text, 0, None) where it noted a fault; the caller uses nothing
of an object with faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from seatd.licensing.faults import FAULT_CODES, Fault
from seatd.licensing.names import BadName

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class Fields:
    """The fields of one object; `path` is where it stands in the whole, `faults` collects for all objects."""

    def __init__(self, value: Mapping[str, object], path: str, faults: list[Fault]) -> None:
        self.value = value
        self._path = path
        self._faults = faults

    def fault(self, code: str, name: str, message: str = "") -> None:
        """Notes a fault of the field ("": of the object itself); without a message, the code's own meaning."""
        self._faults.append(Fault(code, self._at(name), message or FAULT_CODES[code]))

    def text(
        self, name: str, check: Callable[[str], object] | None = None, *, default: str | None = None
    ) -> str:
        """A string that `check` (which raises BadName) has nothing against; absent: the default, if any."""
        value = self.value.get(name, default)
        if value is None:
            self._absent(name)
        elif not isinstance(value, str):
            self.fault("wrong_type", name, "must be a string")
        elif self._named(name, value, check):
            return value
        return ""

    def texts(self, name: str, check: Callable[[str], object]) -> list[str] | None:
        """A list of strings; absent is as empty; None when it is no such list."""
        items = self._list(name)
        if items is None or not all(isinstance(item, str) for item in items):
            self.fault("wrong_type", name, "must be a list of strings")
            return None
        texts = [str(item) for item in items]
        for index, item in enumerate(texts):
            self._named(f"{name}[{index}]", item, check)
        return texts

    def bounded(self, name: str, least: int, most: int, code: str, *, default: int | None) -> int:
        """A whole number within bounds, else a fault of that code; absent: the default, if any."""
        value = self.value.get(name, default)
        if value is None:
            self._absent(name)
        elif not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fault(code, name, f"must be a whole number from {least} to {most}")
        else:
            return value
        return 0

    def time_ms(self, name: str) -> int | None:
        """An RFC 3339 time in UTC, in milliseconds since 1970."""
        text = self.text(name)
        if not text:
            return None
        try:
            if not TIME.fullmatch(text):
                raise ValueError
            return int(datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC).timestamp()) * 1000
        except ValueError:
            self.fault("bad_time", name)
            return None

    def member(self, name: str, *, default: Mapping[str, object] | None = None) -> Fields:
        """The object in a field; where there is none, that is the one fault, not also each field of it."""
        value = self.value.get(name, default)
        if isinstance(value, Mapping):
            return Fields(value, self._at(name), self._faults)
        if value is None:
            self._absent(name)
        else:
            self.fault("wrong_type", name, "must be an object")
        return Fields({}, self._at(name), [])

    def members(self, name: str) -> list[Fields] | None:
        """A list of objects; absent is as empty; None when it is no such list."""
        items = self._list(name)
        if items is None or not all(isinstance(item, Mapping) for item in items):
            self.fault("wrong_type", name, "must be a list of objects")
            return None
        return [
            Fields(item, self._at(f"{name}[{index}]"), self._faults)
            for index, item in enumerate(items)
            if isinstance(item, Mapping)
        ]

    def _list(self, name: str) -> list[object] | None:
        value = self.value.get(name, [])
        return list(value) if isinstance(value, list | tuple) else None

    def _named(self, name: str, value: str, check: Callable[[str], object] | None) -> bool:
        try:
            if check is not None:
                check(value)
        except BadName as error:
            self.fault("bad_name", name, str(error))
            return False
        return True

    def _absent(self, name: str) -> None:
        self.fault("wrong_type" if name in self.value else "missing", name, "must be given")

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path and name else self._path or name
