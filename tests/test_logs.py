"""Logs: readable for people, JSON for programs, without secrets, one record per line."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from seatd import logs
from seatd.notation import MASK

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def records(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_unless_it_is_a_terminal():
    stream = io.StringIO()
    logs.configure(stream=stream)
    structlog.get_logger("seatd.hub").info("session opened", user="alice@acme.example", seats=2)
    (record,) = records(stream)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "session opened",
        "level": "info",
        "logger": "seatd.hub",
        "user": "alice@acme.example",
        "seats": 2,
    }


def test_what_is_not_http_is_no_error_and_tells_no_bytes():
    """aiohttp says so with a traceback, and with the line: a broken `Authorization` among others."""
    stream = io.StringIO()
    for level, lines in (("info", 0), ("debug", 1)):
        logs.configure(level, stream=stream)
        try:
            raise BadHttpMessage("Invalid header token: b'3EH4ycpXtl1e0KsGpxxIB8CYClAMRBb'")
        except BadHttpMessage as error:
            logging.getLogger("aiohttp.server").exception(
                "Error handling request from %s", "1.2.3.4", exc_info=error
            )
        assert [record["event"] for record in records(stream)] == ["request refused: BadHttpMessage"] * lines
    assert "3EH4" not in stream.getvalue()


def test_text_on_a_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    logs.configure(stream=stream)
    structlog.get_logger("seatd.hub").warning("store away", since_s=2.5)
    line = stream.getvalue()
    assert "\x1b" not in line
    assert "warning" in line
    assert line.rstrip().endswith("[seatd.hub] since_s=2.5")


def test_the_form_can_be_chosen():
    stream = Terminal()
    logs.configure(format="json", stream=stream)
    structlog.get_logger().info("x")
    assert records(stream)[0]["event"] == "x"


def test_the_level_holds_for_our_own_and_for_others():
    stream = io.StringIO()
    logs.configure("warning", stream=stream)
    structlog.get_logger("seatd").info("own")
    logging.getLogger("redis").info("other")
    structlog.get_logger("seatd").error("own")
    logging.getLogger("redis").error("other")
    assert [record["event"] for record in records(stream)] == ["own", "other"]


def test_the_standard_library_takes_the_same_way():
    stream = io.StringIO()
    logs.configure(stream=stream)
    logging.getLogger("aiohttp.server").error("bad request from %s\n%s", "10.0.0.1", f"token={TOKEN}")
    logging.getLogger("aiohttp.access").info("GET /?token=x")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
    request, warning = records(stream)
    assert request["event"] == f"bad request from 10.0.0.1\\ntoken={MASK}"
    assert request["level"] == "error"
    assert "old call" in warning["event"]


@pytest.mark.parametrize(
    "name",
    ["token", "hs256_secret", "api_key", "licenseKey", "password", "Authorization", "Set-Cookie", "TOKEN"],
)
@pytest.mark.parametrize("value", ["hidden", b"hidden", ["hidden"], {"a": "hidden"}, ValueError("hidden")])
def test_values_under_telling_names_are_masked(name, value):
    event = logs.redact(None, "info", {"event": "x", name: value, "within": {"deep": [{name: value}]}})
    assert event == {"event": "x", name: MASK, "within": {"deep": [{name: MASK}]}}


def test_numbers_and_innocent_names_are_kept():
    event = {
        "event": "x",
        "keys": 3,
        "token_ttl_s": 60.0,
        "monkey": "m",
        "tokenizer": "t",
        "secret": None,
        "ok": True,
    }
    assert logs.redact(None, "info", dict(event)) == event


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (f"bad token {TOKEN} here", f"bad token {MASK} here"),
        (f"GET /v1/connect?token={TOKEN}&x=1", f"GET /v1/connect?token={MASK}&x=1"),
        ("GET /?a=1&password=p&b=2", f"GET /?a=1&password={MASK}&b=2"),
        ("authorization: Bearer abc.def", f"authorization: Bearer {MASK}"),
        ("no route to redis://user:pass@store:6379/0", f"no route to redis://user:{MASK}@store:6379/0"),
        ("nothing secret about https://acme.example/keys", "nothing secret about https://acme.example/keys"),
    ],
)
def test_credentials_inside_a_text_are_masked(text, seen):
    assert logs.redact(None, "info", {"event": text, "reason": ValueError(text)}) == {
        "event": seen,
        "reason": seen,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_can_forge_a_line_or_steer_a_terminal(form):
    stream = io.StringIO()
    logs.configure(format=form, stream=stream)
    evil = "eve\r\n2026-01-01 [info] granted\x1b[2J\x00\x85\u2028\u202e\x9b"
    structlog.get_logger("seatd").info(f"hello {evil}", user=evil, devices=[evil], **{evil: {evil: evil}})
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert not any(sign in text for sign in "\r\x1b\x00\x85\u2028\u202e\x9b")
    assert "eve" in text


def test_a_lone_surrogate_does_not_stop_the_log():
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    logs.configure(format="text", stream=stream)
    structlog.get_logger().info("name \ud800")
    stream.flush()
    assert rb"name \ud800" in stream.buffer.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_tracebacks_are_set_off_and_hide_what_is_secret(form):
    stream = io.StringIO()
    logs.configure(format=form, stream=stream)
    password = "of a local variable"
    try:
        raise ValueError(f"boom\n2026-01-01 [info] forged token={TOKEN}\x1b[2J")
    except ValueError:
        structlog.get_logger("seatd").exception("failed")
        logging.getLogger("asyncio").exception("failed")
    text = stream.getvalue()
    assert text.count("ValueError: boom") == 2
    assert TOKEN not in text
    assert password not in text
    assert "\x1b" not in text
    if form == "text":
        starts = [line for line in text.splitlines() if not line.startswith("  | ")]
        assert len(starts) == 2
    else:
        assert len(records(stream)) == 2


def test_configuring_again_replaces_the_first():
    first, second = io.StringIO(), io.StringIO()
    logs.configure(stream=first)
    logger = structlog.get_logger("seatd")
    logger.info("one")
    logs.configure("debug", stream=second)
    logger.debug("two")
    assert [record["event"] for record in records(first)] == ["one"]
    assert [record["event"] for record in records(second)] == ["two"]


def test_nothing_is_logged_to_standard_output():
    program = "from seatd import logs; import structlog; logs.configure(); structlog.get_logger().error('x')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "x"


def test_api_tokens_are_masked():
    stream = io.StringIO()
    logs.configure(stream=stream)
    token = "seatd_" + "a-_Z" * 10 + "abc"
    structlog.get_logger("seatd.web").info("made", what=f"the token {token}!")
    assert records(stream)[0]["what"] == f"the token {MASK}!"
