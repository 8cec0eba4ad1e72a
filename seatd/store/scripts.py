"""The Lua verbs: one file each, read with its header, called by named keys and named arguments.

A verb's header is its contract: `keys` it touches, `args` it takes, `answers` it may give, and which shared files it
`uses`. The text that is sent is made here: named locals for the keys, the arguments unpacked, the shared files, the verb.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha1
from importlib.resources import files

import msgspec

COMMON_ARGS = frozenset(
    {
        "partition",
        "epoch",
        "insist",
        "recovery_ms",
        "client_lease_ms",
        "linger_ms",
        "tomb_ms",
        "jump_ms",
        "old_primary_ms",
        "events_kept",
        "calls",
        "now_ms",
    }
)
"""Arguments that the store adds to every call: `calls` where a verb takes many at once (`shared/many.lua`), `now_ms` only in
tests (otherwise the store's own clock counts)."""

_LUA = files("seatd.store").joinpath("lua")
_FIELD = re.compile(r"^-- (keys|args|answers|uses): (.*)$", re.MULTILINE)

_CHECKED = """
local real, declared = redis, {}
for _, key in ipairs(KEYS) do declared[key] = true end
local keyless = {TIME = true, INFO = true, PUBLISH = true}
local function check(command, key)
  if not keyless[command] and not declared[key] then error('undeclared key ' .. tostring(key) .. ' in ' .. command) end
end
local redis = {
  call = function(command, ...) check(command, ...) return real.call(command, ...) end,
  pcall = function(command, ...) check(command, ...) return real.pcall(command, ...) end,
}
"""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One verb, ready to be sent: `text` is what the engine runs, `sha` what it is called by; `many`: it takes many calls."""

    name: str
    keys: tuple[str, ...]
    args: frozenset[str]
    answers: frozenset[str]
    many: bool
    text: bytes
    sha: str


def header(source: str) -> dict[str, str]:
    """The fields of a verb's header, such as `{"keys": "meta nodes", "args": "node", ...}`."""
    return {name: value.strip() for name, value in _FIELD.findall(source)}


def sources() -> Iterator[tuple[str, str]]:
    """Name and text of every verb that ships with seatd."""
    for entry in _LUA.iterdir():
        if entry.name.endswith(".lua"):
            yield entry.name.removesuffix(".lua"), entry.read_text()


def shared(name: str) -> str:
    """The text of a shared file."""
    return _LUA.joinpath("shared", f"{name}.lua").read_text()


def build(name: str, source: str, *, checked: bool = False) -> Script:
    """A script out of a verb's text. `checked` makes it refuse any key that its header does not name (for tests)."""
    head = header(source)
    keys = tuple(head.get("keys", "").split())
    uses = head.get("uses", "").split()
    parts = [_CHECKED] if checked else []
    parts += [f"local {key} = KEYS[{i}]" for i, key in enumerate(keys, 1)]
    parts.append("local args = cmsgpack.unpack(ARGV[1])")
    parts += [shared(used) for used in uses]
    many = "many" in uses
    parts += ["local function one()", source, "end", "return each_call(one)"] if many else [source]
    text = "\n".join(parts).encode()
    return Script(
        name=name,
        keys=keys,
        args=frozenset(head.get("args", "").split()),
        answers=frozenset(re.findall(r"(\w+) \{", head.get("answers", ""))),
        many=many,
        text=text,
        sha=sha1(text, usedforsecurity=False).hexdigest(),
    )


def load(*, checked: bool = False) -> dict[str, Script]:
    """All verbs by name."""
    return {name: build(name, source, checked=checked) for name, source in sources()}
