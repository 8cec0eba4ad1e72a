"""Maps of a client that are well formed and still no message."""

import json
from collections.abc import Iterable

from tests.protocol.vectors import Map
from tests.protocol.vectors.frames import bad, packed
from tests.protocol.vectors.maps import CLIENT_MAPS, DESKTOP


def bad_shapes() -> Iterable[Map]:
    hello = CLIENT_MAPS["hello"]

    def device(**fields: object) -> Map:
        return {**hello, "device": {**DESKTOP, **fields}}

    def without(name: str) -> Map:
        return {key: value for key, value in hello.items() if key != name}

    plain = r"'\\A[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*\\Z'"
    word, key = r"'\\A[A-Za-z0-9_]+\\Z'", r"'\\A[A-Za-z0-9_-]+\\Z'"
    shapes: list[tuple[str, object, str]] = [
        ("a list", [], "not a map"),
        ("a text", "bye", "not a map"),
        ("nil", None, "not a map"),
        ("empty map", {}, "no `type`"),
        ("type is a number", {"type": 1}, "unknown `type`"),
        ("type is a list", {"type": ["bye"]}, "unknown `type`"),
        ("unknown type", {"type": "sudo"}, "unknown `type`"),
        ("type in capitals", {"type": "BYE"}, "unknown `type`"),
        ("a server's type", {"type": "welcome"}, "unknown `type`"),
        ("no token", without("token"), "Object missing required field `token`"),
        ("no device", without("device"), "Object missing required field `device`"),
        ("no need", without("need"), "Object missing required field `need`"),
        ("token is a number", {**hello, "token": 1}, "Expected `str`, got `int` - at `$.token`"),
        ("empty token", {**hello, "token": ""}, "Expected `str` of length >= 1 - at `$.token`"),
        (
            "token of 6145",
            {**hello, "token": "a" * 6145},
            "Expected `str` of length <= 6144 - at `$.token`",
        ),
        (
            "device is a text",
            {**hello, "device": "pc-7"},
            "Expected `object`, got `str` - at `$.device`",
        ),
        ("unknown kind of device", device(kind="toaster"), "Invalid enum value - at `$.device.kind`"),
        ("kind with a path in it", device(kind="x - at `$.y`"), "Invalid enum value - at `$.device.kind`"),
        ("empty device id", device(id=""), "Expected `str` of length >= 1 - at `$.device.id`"),
        (
            "device id of 129",
            device(id="a" * 129),
            "Expected `str` of length <= 128 - at `$.device.id`",
        ),
        ("line break", device(id="pc\n"), f"Expected `str` matching regex {plain} - at `$.device.id`"),
        ("NUL", device(name="a\x00b"), f"Expected `str` matching regex {plain} - at `$.device.name`"),
        (
            "escape",
            device(version="\x1b[2J"),
            f"Expected `str` matching regex {plain} - at `$.device.version`",
        ),
        ("C1 control", device(name="\x85"), f"Expected `str` matching regex {plain} - at `$.device.name`"),
        (
            "line separator",
            device(name="\u2028"),
            f"Expected `str` matching regex {plain} - at `$.device.name`",
        ),
        ("name of 65", device(name="a" * 65), "Expected `str` of length <= 64 - at `$.device.name`"),
        ("need is a text", {**hello, "need": "EMAIL"}, "Expected `array`, got `str` - at `$.need`"),
        ("need holds a number", {**hello, "need": ["A", 2]}, "Expected `str`, got `int` - at `$.need[1]`"),
        ("need of 17", {**hello, "need": ["A"] * 17}, "Expected `array` of length <= 16 - at `$.need`"),
        ("want of 17", {**hello, "want": ["A"] * 17}, "Expected `array` of length <= 16 - at `$.want`"),
        ("want is nil", {**hello, "want": None}, "Expected `array`, got `null` - at `$.want`"),
        ("empty product", {**hello, "need": [""]}, "Expected `str` of length >= 1 - at `$.need[0]`"),
        (
            "product of 65",
            {**hello, "need": ["A" * 65]},
            "Expected `str` of length <= 64 - at `$.need[0]`",
        ),
        (
            "product with a hyphen",
            {**hello, "need": ["CALL-CENTER"]},
            f"Expected `str` matching regex {word} - at `$.need[0]`",
        ),
        (
            "product with a line break",
            {**hello, "need": ["EMAIL\n"]},
            f"Expected `str` matching regex {word} - at `$.need[0]`",
        ),
        ("negative wait", {**hello, "wait_s": -1}, "Expected `int` >= 0 - at `$.wait_s`"),
        ("wait of a day and a second", {**hello, "wait_s": 86401}, "Expected `int` <= 86400 - at `$.wait_s`"),
        ("wait is a float", {**hello, "wait_s": 1.5}, "Expected `int`, got `float` - at `$.wait_s`"),
        ("wait is a text", {**hello, "wait_s": "5"}, "Expected `int`, got `str` - at `$.wait_s`"),
        ("wait is true", {**hello, "wait_s": True}, "Expected `int`, got `bool` - at `$.wait_s`"),
        (
            "allow_unseated is 1",
            {**hello, "allow_unseated": 1},
            "Expected `bool`, got `int` - at `$.allow_unseated`",
        ),
        (
            "resume without secret",
            {**hello, "resume": {"session": "s"}},
            "Object missing required field `secret` - at `$.resume`",
        ),
        (
            "session with a slash",
            {**hello, "resume": {"session": "../s", "secret": "k"}},
            f"Expected `str` matching regex {key} - at `$.resume.session`",
        ),
        (
            "secret of 65",
            {**hello, "resume": {"session": "s", "secret": "k" * 65}},
            "Expected `str` of length <= 64 - at `$.resume.secret`",
        ),
        (
            "ticket of 1025",
            {**hello, "resume": {"session": "s", "secret": "k", "ticket": "t" * 1025}},
            "Expected `str` of length <= 1024 - at `$.resume.ticket`",
        ),
        (
            "ticket with a dot",
            {**hello, "resume": {"session": "s", "secret": "k", "ticket": "a.b"}},
            f"Expected `str` matching regex {key} - at `$.resume.ticket`",
        ),
        ("n is missing", {"type": "alive"}, "Object missing required field `n`"),
        ("n is negative", {"type": "alive", "n": -1}, "Expected `int` >= 0 - at `$.n`"),
        ("n above 2^53", {"type": "alive", "n": 2**53 + 1}, f"Expected `int` <= {2**53} - at `$.n`"),
        ("no ref", {"type": "acquire", "products": []}, "Object missing required field `ref`"),
        ("busy is a text", {"type": "busy", "busy": "yes"}, "Expected `bool`, got `str` - at `$.busy`"),
        ("order is nil", {"type": "ack", "order": None}, "Expected `int`, got `null` - at `$.order`"),
        (
            "empty session",
            {"type": "take_over", "ref": 1, "session": ""},
            "Expected `str` of length >= 1 - at `$.session`",
        ),
    ]
    for name, value, reason in shapes:
        yield bad(name, "msgpack", packed(value), reason)
        yield bad(name, "json", [(json.dumps(value), 1)], reason)
