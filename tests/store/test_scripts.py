"""The headers of the Lua verbs are their contract: what they name is what they use, no more and no less."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import msgpack
import msgspec
import pytest
from redis import exceptions

from seatd.store.keys import CUSTOMER_KEYS, DEPLOYMENT_KEYS, PARTITION_KEYS
from seatd.store.redis import Store
from seatd.store.scripts import COMMON_ARGS, Script, build, header, load, shared, sources
from tests.conftest import Clock
from tests.store.story import working_day

SOURCES = dict(sorted(sources()))
PARTITION_VERBS = ("beat", "vouch")
DEPLOYMENT_VERBS = (
    "amend_deployment", "attempt", "forgive", "see_sign_in", "use_code", "claim_answer", "keep_answer",
    "claim_domains", "release_domain",
)  # fmt: skip
KEYS = set(PARTITION_KEYS) | set(CUSTOMER_KEYS) | set(DEPLOYMENT_KEYS)
EMPTY = b"\x80"
ROOM = 20
"""So many further local names every script must have room for."""

each_verb = pytest.mark.parametrize("verb", SOURCES)


def code(text: str) -> str:
    """Lua without comments."""
    return re.sub(r"--[^\n]*", "", text)


def whole(verb: str) -> str:
    """A verb and the shared files that it uses, without comments."""
    used = header(SOURCES[verb])["uses"].split() if "uses" in header(SOURCES[verb]) else []
    return "\n".join(code(text) for text in [*map(shared, used), SOURCES[verb]])


def keys_in(text: str) -> set[str]:
    """The keys that Lua code speaks of: not a record's field, not a name that is being given, not in a string."""
    bare = re.sub(r"'[^'\n]*'", "''", text)
    return {name for name in KEYS if re.search(rf"(?<![.\w]){name}\b(?!\s*=[^=])", bare)}


def shared_files() -> set[str]:
    return {name for text in SOURCES.values() for name in header(text).get("uses", "").split()}


@each_verb
def test_a_verb_says_what_it_is(verb: str) -> None:
    assert SOURCES[verb].startswith(f"-- {verb}: ")
    assert {"keys", "args", "answers"} <= set(header(SOURCES[verb]))


@each_verb
def test_it_declares_the_keys_that_it_uses(verb: str) -> None:
    assert set(header(SOURCES[verb])["keys"].split()) == keys_in(whole(verb))


@each_verb
def test_it_names_keys_that_there_are(verb: str) -> None:
    declared = set(header(SOURCES[verb])["keys"].split())
    deployment = set(DEPLOYMENT_KEYS)
    if verb in DEPLOYMENT_VERBS:
        assert declared <= deployment
    else:
        assert declared <= (set(PARTITION_KEYS) if verb in PARTITION_VERBS else KEYS - deployment)


@each_verb
def test_every_command_is_given_a_declared_key(verb: str) -> None:
    declared = set(header(SOURCES[verb])["keys"].split())
    parameters = {
        "key",
        "source",
    }  # of the functions in indexes.lua and of holders.lua, which are given declared keys
    calls = re.findall(r"redis\.p?call\(\s*'(\w+)'(?:,\s*([\w']+))?", whole(verb))
    assert calls
    for command, key in calls:
        assert command in ("TIME", "INFO", "PUBLISH") or key in declared | parameters, command
    handed_on = set(re.findall(r"(?<!function )\b(?:range|count|has)\((\w+)", whole(verb)))
    assert handed_on <= declared | parameters


@each_verb
def test_it_takes_the_arguments_that_it_names(verb: str) -> None:
    used = set(re.findall(r"\bargs\.(\w+)", whole(verb)))
    declared = set(header(SOURCES[verb])["args"].split())
    assert used - COMMON_ARGS - declared == set()
    assert declared - used <= {"customer"}  # which says where, not what
    assert not declared & COMMON_ARGS


@each_verb
def test_it_gives_the_answers_that_it_names(verb: str) -> None:
    given = set(re.findall(r"\banswer\('(\w+)'|\bpack\(\{'(\w+)'|\bpack\('(\w+)', 0\)", whole(verb)))
    assert {next(filter(None, words)) for words in given} == load()[verb].answers


@each_verb
def test_it_reads_the_clock_once_at_most(verb: str) -> None:
    assert whole(verb).count("'TIME'") <= 1
    assert len(re.findall(r"(?<!function )\bclock_ms\(\)", whole(verb))) <= 1
    assert not re.search(r"\bos\.|math\.random", whole(verb))


@each_verb
def test_what_writes_is_guarded(verb: str) -> None:
    writes = re.search(
        r"redis\.call\(\s*'(XADD|ZADD|ZREM|HSET|HDEL|SET|DEL|SADD|SREM|HINCRBY)", code(SOURCES[verb])
    )
    guarded = "guard" in header(SOURCES[verb]).get("uses", "").split()
    exempt = (*DEPLOYMENT_VERBS, "vouch")  # which has no partition; which exists to answer for the guard
    assert guarded or not writes or verb in exempt


@pytest.mark.parametrize("name", sorted(shared_files()))
def test_a_shared_file_names_its_keys(name: str) -> None:
    assert shared(name).startswith(f"-- {name}: ")
    named = " ".join(re.findall(r"keys: ([\w\s():]+?)$", shared(name), re.MULTILINE))
    assert keys_in(code(shared(name))) <= set(re.findall(r"\w+", named))


def test_every_shared_file_is_used() -> None:
    there = {
        entry.name.removesuffix(".lua") for entry in files("seatd.store").joinpath("lua/shared").iterdir()
    }
    assert there == shared_files()


def test_the_data_model_tells_of_every_verb_key_and_answer() -> None:
    text = files("seatd.store").joinpath("lua/README.md").read_text()
    for name in KEYS:
        assert f"| `{name}` |" in text, name
    for verb, script in load().items():
        row = next((row for row in text.splitlines() if re.match(rf"\| [\w, ]*\b{verb}\b[^|]*\|", row)), "")
        assert script.answers <= set(re.findall(r"\w+", row)), verb
    for argument in COMMON_ARGS:
        assert f"`{argument}`" in text


# -- as the engine runs them ----------------------------------------------------------------------


async def run(store: Store, script: Script, *keys: str) -> Any:
    return await store.pipeline.run(script, keys, EMPTY)


async def test_checked_scripts_refuse_keys_that_are_not_declared(store: Store) -> None:
    source = "-- keys: meta\nreturn redis.call('GET', 'seatd:{00}:other')"
    with pytest.raises(exceptions.ResponseError, match=r"undeclared key seatd:\{00\}:other in GET"):
        await run(store, build("bad", source, checked=True), "seatd:{00}:meta")
    assert await run(store, build("bad", source), "seatd:{00}:meta") is None


async def test_checked_scripts_may_do_what_needs_no_key(store: Store) -> None:
    source = "redis.call('INFO', 'replication') redis.call('PUBLISH', 'seatd:channel', 1) return redis.call('TIME')[1]"
    assert await run(store, build("fine", source, checked=True), "seatd:any")


@pytest.mark.usefixtures("one_server")
@pytest.mark.parametrize("checked", [False, True])
async def test_there_is_room_for_more_names(store: Store, *, checked: bool) -> None:
    """Lua has room for 200 local names in a script; where it is used up, what only one shared file needs goes into a
    block of its own (`do ... end`)."""
    full = [name for name, script in load(checked=checked).items() if not await _has_room(store, script)]
    assert full == []


async def _has_room(store: Store, script: Script) -> bool:
    lines = script.text.decode().split("\n")
    last = max(number for number, line in enumerate(lines) if line.startswith("return"))
    names = ", ".join(f"name_{number}" for number in range(ROOM))
    try:
        await store.client.script_load("\n".join([*lines[:last], f"local {names}", *lines[last:]]))
    except exceptions.ResponseError as error:
        if "local variables" not in str(error):
            raise
        return False
    return True


async def test_keys_and_arguments_have_names(store: Store) -> None:
    script = build("named", "-- keys: seats nodes\n-- args: who\nreturn {seats, nodes, args.who}")
    answer: Any = await store.pipeline.run(script, ["seatd:{x}a", "seatd:{x}b"], msgpack.packb({"who": "c"}))
    assert answer == [b"seatd:{x}a", b"seatd:{x}b", b"c"]


async def test_checked_stores_refuse_wrong_arguments(store: Store) -> None:
    with pytest.raises(TypeError, match="unassign takes"):
        await store.call("unassign", "acme", license="x")
    with pytest.raises(TypeError, match="unassign takes"):
        await store.call("unassign", "acme", license="x", user="y", extra="z")


async def test_every_verb_keeps_its_contract(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the Python face, on scripts that refuse undeclared keys: arguments, words, and the fields of the answers."""
    answered: dict[str, set[tuple[str, frozenset[str]]]] = {}
    really = store._said

    async def recorded(verb: str, *call: Any) -> Any:
        word, body = await really(verb, *call)
        for told, of_it in body["told"] if word == "many" else [(word, body)]:
            fields = of_it.__struct_fields__ if isinstance(of_it, msgspec.Struct) else of_it or ()
            answered.setdefault(verb, set()).add((told, frozenset(fields)))
        return word, body

    monkeypatch.setattr(store, "_said", recorded)
    await working_day(store, clock)
    assert set(answered) == set(SOURCES)
    for verb, answers in answered.items():
        promised = dict(re.findall(r"(\w+) \{([\w ]*)\}", header(SOURCES[verb])["answers"]))
        for word, fields in answers:
            assert fields <= set(promised[word].split()), (verb, word)
