"""The contract says everything: a message, field, limit or code that is missing from README.md fails here."""

import re
from collections.abc import Mapping

import msgspec
import pytest

from seatd_protocol.codec import CODECS, MAX_DEPTH, MAX_FRAME
from seatd_protocol.codes import CLOSE_CODES, DENIAL_CODES, ERROR_CODES, LOGOUT_CODES, NOTICE_CODES, action_of
from seatd_protocol.messages import (
    CLIENT_TYPES,
    DEVICE_KINDS,
    SERVER_TYPES,
    Device,
    Resume,
    Seat,
    SessionInfo,
)
from seatd_protocol.state import State
from tests.protocol.vectors.make import FOLDER, files

TEXT = (FOLDER.parent / "README.md").read_text()
VALUES: Mapping[str, type[msgspec.Struct]] = {
    "Device": Device,
    "Resume value": Resume,
    "Seat": Seat,
    "Session": SessionInfo,
}
MESSAGES: Mapping[str, type[msgspec.Struct]] = {**CLIENT_TYPES, **SERVER_TYPES}


def sections(level: int) -> dict[str, str]:
    """Heading to what stands below it, up to the next heading of this level or above."""
    mark = "#" * level
    parts = re.split(rf"^#{{1,{level}}} (.+)$", TEXT, flags=re.M)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {name: text for name, text in found.items() if f"\n{mark} {name}\n" in TEXT}


def table(text: str) -> list[list[str]]:
    """The rows of the first table, without its head."""
    lines = text[text.index("|") :].split("\n\n")[0].splitlines() if "|" in text else []
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def in_words(type_: object) -> str:
    """How the contract names a type."""
    if isinstance(type_, msgspec.inspect.UnionType):
        return in_words(next(kind for kind in type_.types if not isinstance(kind, msgspec.inspect.NoneType)))
    if isinstance(type_, msgspec.inspect.VarTupleType):
        return f"list of {in_words(type_.item_type)}"
    if isinstance(type_, msgspec.inspect.StructType):
        return {"SessionInfo": "session"}.get(type_.cls.__name__, type_.cls.__name__.lower())
    if isinstance(type_, msgspec.inspect.StrType) and type_.pattern == r"\A[A-Za-z0-9_]+\Z":
        return "product name"
    return {"IntType": "int", "BoolType": "bool"}.get(type(type_).__name__, "str")


def check_fields(heading: str, shape: type[msgspec.Struct]) -> None:
    rows = {cells[0]: cells for cells in table(sections(3)[heading])}
    info = msgspec.inspect.type_info(shape)
    assert isinstance(info, msgspec.inspect.StructType)
    expected = {f"`{field.name}`" + ("" if field.required else " ?"): field for field in info.fields}
    assert set(rows) == set(expected)
    for name, field in expected.items():
        said = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", rows[name][1])
        assert said.replace("names", "name") == in_words(field.type)
        check_limits(rows[name][2], field.type)


def check_limits(said: str, type_: object) -> None:
    if isinstance(type_, msgspec.inspect.StrType) and type_.max_length is not None:
        assert str(type_.max_length) in said
        assert ("1 to" in said) == (type_.min_length == 1)
    if isinstance(type_, msgspec.inspect.VarTupleType) and type_.max_length is not None:
        assert said == f"at most {type_.max_length}"
    if isinstance(type_, msgspec.inspect.IntType) and type_.le != 2**53:
        assert f"{type_.ge} to {type_.le}" in said


@pytest.mark.parametrize("word", [*MESSAGES])
def test_every_message_with_its_fields_and_limits(word: str) -> None:
    check_fields(f"`{word}`", MESSAGES[word])


def test_no_message_that_is_none() -> None:
    assert {name.strip("`") for name in sections(3) if name.startswith("`")} == set(MESSAGES)


@pytest.mark.parametrize("name", [*VALUES])
def test_every_value_with_its_fields_and_limits(name: str) -> None:
    check_fields(name, VALUES[name])


def test_every_close_code() -> None:
    text = sections(2)["Close codes"]
    rows = re.findall(r"^\| (\d{4}) \| `(\w+)` \| (.+) \|$", text, flags=re.M)
    assert {int(number): slug for number, slug, _ in rows} == {
        number: code.slug for number, code in CLOSE_CODES.items()
    }


def test_every_action() -> None:
    text = sections(2)["Close codes"]
    said = dict(re.findall(r"^\| (\d\d)xx \| `(\w+)` \|", text, flags=re.M))
    assert said == {str(hundreds): action_of(hundreds * 100).value for hundreds in range(40, 45)}
    assert f"| 1000, 1001 | `{action_of(1000).value}` |" in text
    assert f"(1006) | `{action_of(1006).value}` |" in text


def test_every_denial_code() -> None:
    rows = table(sections(3)["Denial codes"])
    assert rows == [
        [f"`{code.slug}`", "yes" if code.temporary else "no", code.meaning] for code in DENIAL_CODES.values()
    ]


@pytest.mark.parametrize(
    ("heading", "codes"),
    [("Notice codes", NOTICE_CODES), ("Error codes", ERROR_CODES), ("Logout codes", LOGOUT_CODES)],
)
def test_every_other_code(heading: str, codes: dict[str, str]) -> None:
    assert table(sections(3)[heading]) == [[f"`{slug}`", meaning] for slug, meaning in codes.items()]


def test_every_state() -> None:
    rows = table(sections(2)["The conversation"].split("Each side keeps")[1])
    assert [row[0] for row in rows] == [f"`{state.value}`" for state in State]


def test_the_figures_of_the_codec() -> None:
    assert f"at most {MAX_FRAME} bytes" in TEXT
    assert f"at most {MAX_DEPTH} maps and lists" in TEXT
    assert all(f"| `{name}` |" in TEXT for name in CODECS)
    assert all(f"`{kind}`" in sections(3)["Device"] for kind in DEVICE_KINDS)


def test_every_vector_file_and_list() -> None:
    text = sections(2)["Vectors"]
    for name, content in files().items():
        assert f"| `{name}` |" in text
        for section in msgspec.json.decode(content, type=dict[str, object]):
            assert f"| `{section}` |" in text


def test_the_worked_example_is_the_one_of_the_vectors() -> None:
    rows = table(TEXT[TEXT.index("| second | what happens") :])
    example = msgspec.json.decode(files()["lease.json"])["client"][0]
    assert example["name"] == "the worked example"
    told = {float(second): float(until) for second, _, until, _ in rows[:5] if until}
    assert told == {step["at_s"]: step["until_s"] for step in example["steps"] if step["until_s"]}


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, flags=re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors
