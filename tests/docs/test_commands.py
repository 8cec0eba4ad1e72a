"""Every command of the documentation is run, page by page, as a reader would; or it stands here why not."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from seatd.cli.main import cli
from tests.docs.desk import Desk
from tests.docs.pages import ROOT, commands, pages, prose, samples, spans, text_of

pytestmark = pytest.mark.timeout(400)  # many programs are started, and the machine may be busy

ELSEWHERE = {
    "docs/clients.md": "tests/protocol/js/test_guide.py",
    "protocol/js/README.md": "tests/protocol/js",
    "deploy/README.md": "tests/deploy",
}
"""Pages whose commands other tests run."""


@dataclass
class Story:
    """How a page is followed. `says`: what must have been printed in the end. `places`: what stands in the place of an address
    or a file that only the reader has. `needs`: a program that must be there. `before`: what the reader has done already."""

    says: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    before: str = ""
    needs: str = ""


LICENSED = """
mkdir -p /etc/seatd
seatd keys new --out vendor.key > /etc/seatd/vendor.pem
seatd license issue --key vendor.key --customer acme --domain acme.example \\
    --license CALL_CENTER:competitive:120 --days 30 > acme.license
seatd serve --data seatd-data --trust /etc/seatd/vendor.pem
seatd license import acme.license --data seatd-data
"""
BENCH = "takes minutes; `tests/loadtest` measures every row of it with few clients"
ITSELF = "runs tests, this one among them"
STORIES = {
    "README.md": Story(
        says=("no_seat", "receipt", "sign in there", "/console/sign-in#", "CALL_CENTER", "audit trails"),
        left_out=dict.fromkeys(
            (
                "python3 -m venv --without-pip /opt/seatd",
                "python3 -m pip --python /opt/seatd/bin/python install .",
                "ln -s /opt/seatd/bin/seatd /usr/local/bin/seatd",
            ),
            "asks a package index, and is for the whole machine; `tests/deploy/test_readme.py` installs it so",
        ),
    ),
    "CONTRIBUTING.md": Story(
        left_out={
            "SEATD_STORE_BIN=/usr/bin/redis-server ./dev test tests/store": ITSELF,
            "SEATD_TEST_TOPOLOGY=cluster ./dev test tests/store": ITSELF,
            "SEATD_TEST_ACL=1 ./dev test tests/store": ITSELF,
        }
    ),
    "docs/administrators.md": Story(
        before="echo 'correct horse battery' > alice.password"
        + LICENSED.replace("seatd-data", "/var/lib/seatd"),
        says=("alice", "bob@acme.example", "/console/sign-in#"),
    ),
    "docs/operators.md": Story(
        before=LICENSED.replace("seatd-data", "/var/lib/seatd/a"),
        says=("seatd_store_up 1.0", "acme", "audit trails"),
        needs="curl",
    ),
    "docs/rest.md": Story(before=LICENSED, says=('"product":"CALL_CENTER"',), needs="curl"),
    "docs/webhooks.md": Story(
        before=LICENSED,
        places={"$TOKEN": "$(cat seatd-data/admin.token)", "https://seatd.example": "http://127.0.0.1:8471"},
        says=('"secret":',),
        needs="curl",
    ),
    "docs/capacity.md": Story(left_out={"./dev bench": BENCH}),
    "docs/promises.md": Story(
        left_out={
            "./dev faults --only F01,F26 --short": "takes minutes; `tests/faults/test_selection.py` runs a selection"
        },
        says=("F01 ", "F60 "),
    ),
    "loadtest/README.md": Story(
        before="head -c 32 /dev/urandom | base64 > client.secret" + LICENSED,
        environ={"SEATD_TOKENS_HS256_SECRET_FILE": "client.secret"},
        places={"wss://staging.example:8470": "ws://127.0.0.1:8470"},
        left_out=dict.fromkeys(
            (
                "./dev bench",
                "./dev bench --quick",
                "./dev bench --only sign-in,idle",
                "./dev bench soak --minutes 20 --clients 500",
            ),
            BENCH,
        ),
        says=("sign-in", "connect"),
    ),
}


def with_commands() -> list[str]:
    return [page for page in pages() if any(sample.language == "sh" for sample in samples(page))]


@pytest.mark.parametrize("page", [page for page in with_commands() if page not in ELSEWHERE])
def test_the_page_is_followed(page: str) -> None:
    story = STORIES[page]
    if story.needs and shutil.which(story.needs) is None:
        pytest.skip(f"{page} wants `{story.needs}`, which is not on PATH")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seatd-")))
        desk = stack.enter_context(Desk(folder, story.places, story.environ))
        desk.prepare(story.before)
        desk.follow(page, story.left_out)
    for text in story.says:
        assert text in desk.printed, desk.printed


def test_what_is_left_out_is_there() -> None:
    for page, story in STORIES.items():
        there = [c for sample in samples(page) if sample.language == "sh" for c in commands(sample.text)]
        assert set(story.left_out) <= set(there), page


def test_pages_that_others_follow_are_named_by_them() -> None:
    for page, place in ELSEWHERE.items():
        files = [ROOT / place] if place.endswith(".py") else [*(ROOT / place).rglob("*.py")]
        if (ROOT / page).exists() and page in with_commands():
            assert any(file.exists() and Path(page).name in file.read_text() for file in files), page


@pytest.mark.parametrize("page", pages())
def test_no_command_stands_outside_of_a_fence(page: str) -> None:
    """One that is only indented would be run by nobody."""
    program = r"(seatd|seatd-loadtest|\./dev|\.venv/bin/\w+|curl|pip|SEATD_\w+=\S+)"
    assert not re.findall(rf"^(?: {{4}}|\t){program} .*$", prose(page), re.MULTILINE)
    assert not [sample for sample in samples(page) if sample.language in ("bash", "shell", "console")]


def mentioned() -> Iterator[tuple[str, str]]:
    """`seatd ...` where a sentence names it."""
    for page in pages():
        yield from ((page, span) for span in spans(page) if re.match(r"seatd (?!ready)[a-z]", span))


@pytest.mark.parametrize(("page", "words"), sorted(set(mentioned())))
def test_a_command_in_a_sentence_exists(page: str, words: str) -> None:
    """Its verbs do, and its options."""
    command: click.Command = cli
    for word in words.split()[1:]:
        if isinstance(command, click.Group):
            for one in word.split("|"):
                assert one in command.commands, words
            command = command.commands[word.split("|")[0]]
        elif word.startswith("--"):
            options = {option for parameter in command.params for option in parameter.opts}
            assert word.strip("[]").split("=")[0] in options, words


@pytest.mark.parametrize(
    "verb", sorted({v for page in pages() for v in re.findall(r"`\./dev (\w+)", text_of(page))})
)
def test_a_verb_of_dev_in_a_sentence_exists(verb: str) -> None:
    assert re.search(rf"^def {verb}\(\w+: Args\)", (ROOT / "dev").read_text(), re.MULTILINE)
