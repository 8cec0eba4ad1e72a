"""Frames of a client that are not what an encoder writes: those to be understood, those to be refused."""

import json
from collections.abc import Iterable

import msgpack

from tests.protocol.vectors import Map
from tests.protocol.vectors.maps import CLIENT_MAPS, DESKTOP

Parts = list[tuple[str, int]]


def frame(name: str, subprotocol: str, parts: Parts, **more: object) -> Map:
    """A client's frame as parts, each to be repeated so many times: hex for msgpack, text for JSON."""
    return {"name": name, "from": "client", "subprotocol": f"seatd.v1.{subprotocol}", "parts": parts, **more}


def packed(value: object) -> Parts:
    return [(msgpack.packb(value).hex(), 1)]


def nested(levels: int) -> Map:
    """A good `bye` with an unknown field, `levels` lists deep."""
    return {"type": "bye", "x": json.loads("[" * levels + "]" * levels)}


def accepted() -> list[Map]:
    """Not what an encoder should write, and still to be understood."""
    bye, alive = {"type": "bye"}, {"type": "alive", "n": 1}
    hello = CLIENT_MAPS["hello"]
    return [
        frame("unknown field", "msgpack", packed({"type": "bye", "new": {"a": [1, None]}}), map=bye),
        frame("unknown field", "json", [('{"type":"bye","new":{"a":[1,null,2.5]}}', 1)], map=bye),
        frame(
            "unknown field inside", "msgpack", packed({**hello, "device": {**DESKTOP, "os": "x"}}), map=hello
        ),
        frame("default on the wire", "msgpack", packed({**hello, "wait_s": 0, "want": []}), map=hello),
        frame("type not first", "msgpack", packed({"n": 1, "type": "alive"}), map=alive),
        frame("type not first", "json", [('{"n":1,"type":"alive"}', 1)], map=alive),
        frame("wide integer", "msgpack", [("82a474797065a5616c697665a16ecf0000000000000001", 1)], map=alive),
        frame(
            "signed integer", "msgpack", [("82a474797065a5616c697665a16ed30000000000000001", 1)], map=alive
        ),
        frame(
            "wide map, key and text",
            "msgpack",
            [("df00000001db0000000474797065da0003627965", 1)],
            map=bye,
        ),
        frame("space and escapes", "json", [(' { "t\\u0079pe" : "bye" }\n', 1)], map=bye),
        frame("integer of 64 bits, unknown field", "msgpack", packed({**bye, "x": 2**64 - 1}), map=bye),
        frame(
            "integer of 64 bits, unknown field", "json", [(f'{{"type":"bye","x":{-(2**63)}}}', 1)], map=bye
        ),
        frame("nested 8 deep", "msgpack", packed(nested(7)), map=bye),
        frame("nested 8 deep", "json", [('{"type":"bye","x":[[[[[[[]]]]]]]}', 1)], map=bye),
        frame("8192 bytes", "msgpack", [("82a474797065a3627965a178da1ff1", 1), ("61", 8177)], map=bye)
        | {"bytes": 8192},
        frame("8192 bytes", "json", [('{"type":"bye","x":"', 1), ("a", 8171), ('"}', 1)], map=bye)
        | {"bytes": 8192},
    ]


def bad(name: str, subprotocol: str, parts: Parts, reason: str) -> Map:
    return frame(name, subprotocol, parts, reason=reason)


BYE = "a474797065a3627965"  # "type": "bye", without the map around it


def bad_bytes() -> Iterable[Map]:
    deep = "nested deeper than 8"
    large = "larger than 8192 bytes"
    ext = "ext types are not used"
    other_kind = {"kind": "text"}
    yield bad("text frame", "msgpack", [('{"type":"bye"}', 1)], "a text frame on msgpack") | other_kind
    yield bad("binary frame", "json", [("81" + BYE, 1)], "a binary frame on JSON") | {"kind": "binary"}
    yield bad("8193 bytes", "msgpack", [("82a474797065a3627965a178da1ff2", 1), ("61", 8178)], large)
    yield bad("8193 bytes", "json", [('{"type":"bye","x":"', 1), ("a", 8172), ('"}', 1)], large)
    yield bad("8193 bytes of UTF-8", "json", [('{"type":"bye","x":"', 1), ("\u00e9", 4086), ('"}', 1)], large)
    yield bad("100,000 levels", "msgpack", [("91", 100000), ("c0", 1)], large)
    yield bad("8,000 levels", "msgpack", [("91", 8000), ("c0", 1)], deep)
    yield bad("8,000 levels", "json", [("[", 8000)], deep)
    yield bad("8,000 maps", "msgpack", [("81a161", 2700), ("c0", 1)], deep)
    yield bad("empty frame", "msgpack", [("", 1)], "cut short")
    yield bad("empty frame", "json", [("", 1)], "not valid JSON")
    yield bad("cut in a text", "msgpack", [("81a474797065a36279", 1)], "cut short")
    yield bad("cut in a map", "msgpack", [("82" + BYE, 1)], "cut short")
    yield bad("cut", "json", [('{"type":"bye"', 1)], "not valid JSON")
    yield bad("4 GiB list announced", "msgpack", [("ddffffffff", 1)], "cut short")
    yield bad("4 GiB map announced", "msgpack", [("dfffffffff", 1)], "cut short")
    yield bad("4 GiB text announced", "msgpack", [("dbffffffff", 1)], "cut short")
    yield bad("4 GiB bin announced", "msgpack", [("c6ffffffff", 1)], "cut short")
    yield bad("4 GiB ext announced", "msgpack", [("c9ffffffff01", 1)], ext)
    yield bad("ext", "msgpack", [("82" + BYE + "a178d60500000000", 1)], ext)
    yield bad("ext without content", "msgpack", [("82" + BYE + "a178c70005", 1)], ext)
    yield bad("timestamp", "msgpack", [("82" + BYE + "a178d6ff00000000", 1)], ext)
    yield bad("never used byte", "msgpack", [("c1", 1)], "not valid msgpack")
    yield bad("no JSON", "json", [("type: bye", 1)], "not valid JSON")
    yield bad("byte order mark", "json", [('\ufeff{"type":"bye"}', 1)], "not valid JSON")
    yield bad("line break in a text", "json", [('{"type":"b\nye"}', 1)], "not valid JSON")
    yield bad("trailing byte", "msgpack", [("81" + BYE + "c0", 1)], "trailing bytes")
    yield bad("two messages", "json", [('{"type":"bye"}', 2)], "trailing bytes")


def bad_trees() -> Iterable[Map]:
    deep = "nested deeper than 8"
    utf8 = "text is not valid UTF-8"
    wide = "integer outside 64 bits"
    number = "NaN or Infinity"
    key = "a key is not text"
    twice = "a key stands twice"
    yield bad("nested 9 deep", "msgpack", packed(nested(8)), deep)
    yield bad("nested 9 deep", "json", [('{"type":"bye","x":[[[[[[[[]]]]]]]]}', 1)], deep)
    yield bad("invalid UTF-8", "msgpack", [("81a474797065a3ff7965", 1)], utf8)
    yield bad("surrogate in UTF-8", "msgpack", [("81a474797065a3eda080", 1)], utf8)
    yield bad("lone surrogate", "json", [('{"type":"bye","x":"\\ud800"}', 1)], utf8)
    yield bad("lone surrogate as key", "json", [('{"type":"bye","\\udfff":1}', 1)], utf8)
    yield bad("NaN", "msgpack", [("82" + BYE + "a178cb7ff8000000000000", 1)], number)
    yield bad("Infinity, 32 bits", "msgpack", [("82" + BYE + "a178caff800000", 1)], number)
    yield bad("NaN", "json", [('{"type":"bye","x":NaN}', 1)], number)
    yield bad("-Infinity", "json", [('{"type":"bye","x":-Infinity}', 1)], number)
    yield bad("1e999", "json", [('{"type":"bye","x":1e999}', 1)], number)
    yield bad("2^64", "json", [('{"type":"bye","x":18446744073709551616}', 1)], wide)
    yield bad("-2^63 - 1", "json", [('{"type":"bye","x":-9223372036854775809}', 1)], wide)
    yield bad("5,000 digits", "json", [('{"type":"bye","x":', 1), ("9", 5000), ("}", 1)], wide)
    yield bad("bin", "msgpack", [("81a474797065c403627965", 1)], "bin, where only text is used")
    yield bad("empty bin", "msgpack", [("82" + BYE + "a178c400", 1)], "bin, where only text is used")
    yield bad("integer as key", "msgpack", [("82" + BYE + "01c0", 1)], key)
    yield bad("bin as key", "msgpack", [("82" + BYE + "c40178c0", 1)], key)
    yield bad("list as key", "msgpack", [("82" + BYE + "90c0", 1)], key)
    yield bad("key twice", "msgpack", [("82" + BYE + BYE, 1)], twice)
    yield bad("key twice", "json", [('{"type":"bye","type":"bye"}', 1)], twice)
    yield bad("key twice inside", "json", [('{"type":"bye","x":[{"a":1,"\\u0061":1}]}', 1)], twice)
