"""Secrets that the tests know are found wherever they stand, and a test that prints one fails."""

from __future__ import annotations

import pytest

from tests.canary.marks import leaks, mark
from tests.hub.token_factory import SECRET

pytest_plugins = ("pytester",)
CONFTEST = "from tests.conftest import pytest_runtest_makereport"
PRINTS = """
import logging
import pytest
from tests.canary.marks import mark

SECRET = "canary-of-a-test-that-prints-it"

def test_prints():
    mark("printed secret", SECRET)
    print(f"it is {SECRET}!")

def test_logs():
    mark("printed secret", SECRET)
    logging.getLogger("x").error("it is %s", SECRET)

@pytest.mark.tells_secrets
def test_may():
    print(SECRET)

def test_is_silent():
    print("SECRET")
"""


def test_words_texts_and_tokens() -> None:
    mark("random word", "kX9-canary-word-0123456789")
    mark("password", "canary goes down the mine")
    mark("jwt", "eyJhbGciOiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ")
    mark("nothing", None)
    mark("nothing", "")
    assert leaks('{"a": "kX9-canary-word-0123456789"}') == {"random word"}
    assert leaks("a canary goes down the mine.") == {"password"}
    assert leaks("x.y.c2lnbmF0dXJlLWNhbmFyeQ") == {"jwt"}
    assert leaks(f"secret={SECRET}") == {"shared secret of client tokens"}
    assert leaks("eyJhbGciOiJ9.eyJzdWIiOiJjYW5hcnkifQ. canary goes up") == set()


@pytest.mark.tells_secrets
def test_a_test_that_prints_a_secret_fails(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(PRINTS)
    pytester.makeini("[pytest]\nmarkers = tells_secrets\nasyncio_default_fixture_loop_scope = function")
    ran = pytester.runpytest_inprocess("-p", "no:valkey")
    ran.assert_outcomes(failed=2, passed=2)
    ran.stdout.fnmatch_lines(["*printed secret stands in what the test printed*"])
