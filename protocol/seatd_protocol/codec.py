"""Frames to messages and back, for both sub-protocols, with hard limits.

Reading goes in three steps, each of which refuses: the bytes (msgpack or JSON, within the size of a
frame), the tree (depth, numbers, texts, no key twice), the shape (the message that `type` names). Only
`BadMessage` comes out of it, whatever comes in; and its reason never repeats what came in, so it may be
logged and sent back.

The limits of the bytes are msgpack's own. Its headers announce sizes up to 4 GiB; nothing larger than
the frame is believed, so the memory a frame can cost is bounded by the frame.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never, TypeVar

import msgpack
import msgspec

from seatd_protocol.messages import CLIENT_TYPES, SERVER_TYPES, ClientMessage, ServerMessage

MAX_FRAME = 8192
"""What a client may send at once, in bytes."""
MAX_SERVER_FRAME = 65_536
"""What a server may send at once, in bytes: a `welcome` names all the seats of a session."""
MAX_DEPTH = 8

_T = TypeVar("_T")
_OF_SERVERS = frozenset(SERVER_TYPES.values())
_DEEP = f"nested deeper than {MAX_DEPTH}"
_WIDE = "integer outside 64 bits"
# 20 digits and a sign hold every 64-bit integer. Python's own limit (4300 digits) is far off, and costs time.
_INTEGER_DIGITS = 21


class BadMessage(Exception):
    """A frame that is no message. `reason` is short and never repeats what was in the frame."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Codec:
    """One sub-protocol. `binary` says which kind of frame it uses; the other kind is refused."""

    name: str
    binary: bool
    _write: Callable[[object], bytes]
    _read: Callable[[bytes | str], object]

    def encode(self, message: ClientMessage | ServerMessage) -> bytes | str:
        """The frame of a message: bytes for msgpack, text for JSON.

        Raises `ValueError` if it would be larger than its side may send (`MAX_FRAME`,
        `MAX_SERVER_FRAME`): whoever builds a message keeps it small.
        """
        frame = self._write(message)
        limit = MAX_SERVER_FRAME if type(message) in _OF_SERVERS else MAX_FRAME
        if len(frame) > limit:
            raise ValueError(f"a message of {len(frame)} bytes; a frame holds {limit}")
        return frame if self.binary else frame.decode()

    def decode_client(self, frame: bytes | str) -> ClientMessage:
        """The message in a client's frame. Raises `BadMessage`."""
        return _shape(self._tree(frame, MAX_FRAME), CLIENT_TYPES)

    def decode_server(self, frame: bytes | str) -> ServerMessage:
        """The message in a server's frame. Raises `BadMessage`."""
        return _shape(self._tree(frame, MAX_SERVER_FRAME), SERVER_TYPES)

    def _tree(self, frame: bytes | str, limit: int) -> object:
        if isinstance(frame, str) is self.binary:
            raise BadMessage("a text frame on msgpack" if self.binary else "a binary frame on JSON")
        if _size(frame) > limit:
            raise BadMessage(f"larger than {limit} bytes")
        tree = self._read(frame)
        _check(tree, MAX_DEPTH)
        return tree


def _size(frame: bytes | str) -> int:
    return len(_utf8(frame)) if isinstance(frame, str) and not frame.isascii() else len(frame)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadMessage("text is not valid UTF-8") from None


def _shape(tree: object, types: dict[str, type[_T]]) -> _T:
    if not isinstance(tree, dict):
        raise BadMessage("not a map")
    if "type" not in tree:
        raise BadMessage("no `type`")
    shape = types.get(tree["type"]) if isinstance(tree["type"], str) else None
    if shape is None:
        raise BadMessage("unknown `type`")
    try:
        return msgspec.convert(tree, shape)
    except msgspec.ValidationError as error:
        raise BadMessage(_without_input(str(error))) from None


def _without_input(reason: str) -> str:
    """msgspec names the path and what it expected; of a word out of a fixed list it also repeats the word."""
    if reason.startswith("Invalid enum value"):
        return "Invalid enum value - at " + reason.rpartition(" - at ")[2]
    return reason


def _check(value: object, levels: int) -> None:
    """Refuse what the two sub-protocols do not share, or what not every language can hold, at any depth."""
    if isinstance(value, dict | list):
        if levels == 0:
            raise BadMessage(_DEEP)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, levels - 1)
    elif isinstance(value, str):
        if not value.isascii():
            _utf8(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadMessage("NaN or Infinity")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise BadMessage(_WIDE)
    elif isinstance(value, bytes):
        raise BadMessage("bin, where only text is used")


def _map(pairs: list[tuple[object, object]]) -> dict[str, object]:
    """A map of text keys, none of them twice. (Which of two counts differs from library to library.)"""
    fields: dict[str, object] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise BadMessage("a key is not text")
        _utf8(key)
        if key in fields:
            raise BadMessage("a key stands twice")
        fields[key] = value
    return fields


def _no_ext(_code: int, _data: bytes) -> Never:
    raise BadMessage("ext types are not used")


def _read_msgpack(frame: bytes | str) -> object:
    try:
        return msgpack.unpackb(
            frame,
            strict_map_key=True,
            object_pairs_hook=_map,
            ext_hook=_no_ext,
            max_str_len=MAX_SERVER_FRAME,
            max_bin_len=MAX_SERVER_FRAME,
            max_array_len=MAX_SERVER_FRAME,
            max_map_len=MAX_SERVER_FRAME,
            max_ext_len=0,
        )
    except (msgpack.StackError, RecursionError):
        raise BadMessage(_DEEP) from None
    except UnicodeDecodeError:
        raise BadMessage("text is not valid UTF-8") from None
    except msgpack.ExtraData:
        raise BadMessage("trailing bytes") from None
    except (ValueError, msgpack.UnpackException) as error:
        raise BadMessage(_msgpack_reason(str(error))) from None


def _msgpack_reason(text: str) -> str:
    """msgpack tells most faults apart only in its sentences, which repeat figures of the input."""
    known = {
        "max_ext_len": "ext types are not used",
        "timestamp": "ext types are not used",
        "map key": "a key is not text",
        "incomplete": "cut short",
        "exceeds max_": "cut short",
    }
    return next((reason for sign, reason in known.items() if sign in text), "not valid msgpack")


def _read_json(frame: bytes | str) -> object:
    try:
        return json.loads(frame, object_pairs_hook=_map, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        raise BadMessage(_DEEP) from None
    except json.JSONDecodeError as error:
        raise BadMessage("trailing bytes" if error.msg == "Extra data" else "not valid JSON") from None


def _no_constant(_name: str) -> Never:
    raise BadMessage("NaN or Infinity")


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS:
        raise BadMessage(_WIDE)
    return int(digits)


_MSGPACK = Codec("seatd.v1.msgpack", True, msgspec.msgpack.Encoder().encode, _read_msgpack)
_JSON = Codec("seatd.v1.json", False, msgspec.json.Encoder().encode, _read_json)

CODECS: dict[str, Codec] = {codec.name: codec for codec in (_MSGPACK, _JSON)}
