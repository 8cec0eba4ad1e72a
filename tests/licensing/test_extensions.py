"""What an extension may look like, and what extensions take together."""

from __future__ import annotations

import pytest

from seatd.licensing.catalog import Catalog
from seatd.licensing.extensions import Block, Extension, beyond, consecutive, demand, faults_of

CATALOG = Catalog.load()
BLOCKS = (Block(first=200, last=299), Block(first=7000, last=7000))


def wrong(**fields: object) -> list[str]:
    extension = Extension(**{"extension": "201", **fields})  # type: ignore[arg-type]
    return [fault.field for fault in faults_of(extension, BLOCKS, CATALOG)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"extension": "200"},
        {"extension": "299"},
        {"extension": "7000"},
        {"number": "+43 1 5550201"},
        {"user": "ann@acme.example"},
        {"add_ons": ("device_ip_phone", "device_web_rtc", "call_recording")},
        {"add_ons": ("device_mobile_app", "device_mobile_app", "device_desktop_app", "device_desktop_app")},
    ],
)
def test_what_may_be(fields: dict[str, object]) -> None:
    assert wrong(**fields) == []


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"extension": "199"}, ["extension"]),
        ({"extension": "300"}, ["extension"]),
        ({"extension": "12"}, ["extension"]),
        ({"extension": "200000"}, ["extension"]),
        ({"extension": "020"}, ["extension"]),
        ({"extension": "2O1"}, ["extension"]),
        ({"extension": "\u0662\u0660\u0661"}, ["extension"]),
        ({"extension": "201\n"}, ["extension"]),
        ({"extension": ""}, ["extension"]),
        ({"number": "call me"}, ["number"]),
        ({"number": "+" + "1" * 30}, ["number"]),
        ({"user": "ann"}, ["user"]),
        ({"user": "ann@a@b"}, ["user"]),
        ({"add_ons": ("CALL_CENTER",)}, ["add_ons[0]"]),
        ({"add_ons": ("call_recording", "no_such_thing")}, ["add_ons[1]"]),
        ({"add_ons": ("device_ip_phone", "device_ip_phone")}, ["add_ons[1]"]),
        ({"add_ons": ("device_web_rtc", "call_recording", "device_web_rtc")}, ["add_ons[2]"]),
        ({"add_ons": ("call_recording", "call_recording")}, ["add_ons[1]"]),
        ({"add_ons": ("phone_system",)}, ["add_ons[0]"]),
        (
            {"extension": "1", "number": "x", "user": "x", "add_ons": ("x",)},
            ["extension", "number", "user", "add_ons[0]"],
        ),
    ],
)
def test_what_may_not_be(fields: dict[str, object], where: list[str]) -> None:
    assert wrong(**fields) == where


def test_consecutive_extensions() -> None:
    assert consecutive("998", 4) == ("998", "999", "1000", "1001")
    assert consecutive("99999", 1) == ("99999",)
    for first, count in (("99999", 2), ("12", 1), ("012", 1), ("abc", 1)):
        with pytest.raises(ValueError):
            consecutive(first, count)


def test_what_they_take_together() -> None:
    extensions = [
        Extension(extension="201", add_ons=("device_mobile_app", "device_mobile_app")),
        Extension(extension="202", add_ons=("call_recording",)),
    ]
    wanted = demand(extensions)
    assert wanted == {"phone_system": 2, "device_mobile_app": 2, "call_recording": 1}
    assert beyond(wanted, {"phone_system": 2, "device_mobile_app": 1}) == {
        "device_mobile_app": (2, 1),
        "call_recording": (1, 0),
    }
