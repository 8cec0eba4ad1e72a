"""The packaged catalogue row by row, and what a session needs for each product on each device."""

from __future__ import annotations

from itertools import product as every
from typing import get_args

import pytest

from seatd.licensing.catalog import Catalog, Refusal, Requirement, holder_of
from seatd_protocol.messages import DeviceKind

CATALOG = Catalog.load()
KINDS: tuple[DeviceKind, ...] = get_args(DeviceKind)
BOTH = frozenset({"competitive", "nominal"})
ADD_ONS = ("license_center", "call_recording", "license_dnc_checking_enabled", "license_number", "team_chat")
DEVICE_ADD_ONS: dict[DeviceKind, str] = {
    "desktop": "device_desktop_app",
    "mobile": "device_mobile_app",
    "web_phone": "device_web_rtc",
    "ip_phone": "device_ip_phone",
}

# product: kinds, combine, counts, resource, device, base, per_extension
TABLE = {
    "CALL_CENTER": (BOTH, "sum", "user", None, None, None, None),
    "CALL_MANAGER": (BOTH, "sum", "user", None, None, None, None),
    "QUALITY_AUDITOR": (BOTH, "sum", "user", None, None, None, None),
    "CUSTOMER_SERVICE": (BOTH, "sum", "user", None, None, None, None),
    "VOIP_DEVICE": (BOTH, "sum", "device", None, "ip_phone", None, None),
    "MOBILE": (BOTH, "sum", "user", None, "mobile", None, None),
    "CUSTOMER_PORTAL": (BOTH, "sum", "user", None, "mobile", None, None),
    "EMAIL": (BOTH, "max", "user", "email_profile", None, None, None),
    "CHAT": (frozenset({"nominal"}), "max", "resource", "chat_gateway", "none", None, None),
    "phone_system": (BOTH, "sum", "extension", None, None, None, None),
    "device_ip_phone": (BOTH, "sum", "device", None, "ip_phone", "phone_system", 1),
    "device_mobile_app": (BOTH, "sum", "device", None, "mobile", "phone_system", None),
    "device_desktop_app": (BOTH, "sum", "device", None, "desktop", "phone_system", None),
    "device_web_rtc": (BOTH, "sum", "device", None, "web_phone", "phone_system", 1),
    **dict.fromkeys(ADD_ONS, (BOTH, "sum", "user", None, None, "phone_system", None)),
}


def test_the_catalogue_is_the_table() -> None:
    assert {
        name: (p.kinds, p.combine, p.counts, p.resource, p.device, p.base, p.per_extension)
        for name, p in CATALOG.products.items()
    } == TABLE
    assert all(product.emergency for product in CATALOG.products.values())
    assert all(product.name == name for name, product in CATALOG.products.items())


MATRIX_PRODUCTS = (
    "CALL_CENTER", "CALL_MANAGER", "VOIP_DEVICE", "MOBILE", "EMAIL", "CHAT", "QUALITY_AUDITOR",
    "CUSTOMER_SERVICE",
)  # fmt: skip
MATRIX = {
    "roles gateways calendars schema trigger acr_routing storage_profile": "1 1 0 0 0 0 0 0",
    "cognitive_profile": "1 1 0 0 0 0 0 0",
    "users calls record_file": "1 1 1 1 0 0 0 1",
    "devices": "1 1 1 1 0 0 0 0",
    "dictionaries media_file": "1 1 0 0 0 0 0 1",
    "cc_list cc_team cc_agent cc_queue cc_bucket cc_resource cc_resource_group": "1 0 0 0 0 0 0 0",
    "acr_chat_plan": "1 0 0 0 0 0 0 0",
    "email_profile": "0 0 0 0 1 0 0 0",
    "chats chat_bots": "0 0 0 0 0 1 0 0",
    "cc_audit_form": "0 0 0 0 0 0 1 0",
    "contacts": "0 0 0 0 0 0 0 1",
}
ALL_SECTIONS = tuple(" ".join(MATRIX).split())


@pytest.mark.parametrize("row", MATRIX)
def test_each_section_is_opened_by_its_products_and_no_other(row: str) -> None:
    for section in row.split():
        opened = " ".join(str(int(section in CATALOG.sections([name]))) for name in MATRIX_PRODUCTS)
        assert opened == MATRIX[row], section


def test_products_outside_the_matrix_open_nothing() -> None:
    assert CATALOG.sections(set(TABLE) - set(MATRIX_PRODUCTS)) == ()


def test_sections_are_the_union_in_catalogue_order() -> None:
    assert CATALOG.sections(MATRIX_PRODUCTS) == ALL_SECTIONS
    assert CATALOG.sections(reversed(MATRIX_PRODUCTS)) == ALL_SECTIONS
    assert CATALOG.sections(["CUSTOMER_SERVICE", "EMAIL", "EMAIL"]) == (
        "users", "calls", "record_file", "dictionaries", "media_file", "email_profile", "contacts",
    )  # fmt: skip
    assert CATALOG.sections(["no such product"]) == ()
    assert CATALOG.sections([]) == ()


def names(products: list[str], device: DeviceKind) -> list[str] | Refusal:
    needed = CATALOG.requirements(products, device)
    return needed if isinstance(needed, Refusal) else [requirement.product for requirement in needed]


@pytest.mark.parametrize(("name", "device"), list(every(TABLE, KINDS)))
def test_each_product_on_each_device(name: str, device: DeviceKind) -> None:
    product = CATALOG.products[name]
    if product.device not in (None, device):
        assert names([name], device) == Refusal(code="device_not_allowed", product=name)
    elif name == "phone_system":
        assert names([name], device) == ["phone_system", DEVICE_ADD_ONS[device]]
    elif name in ADD_ONS:
        assert names([name], device) == ["phone_system", name, DEVICE_ADD_ONS[device]]
    elif product.base:
        assert names([name], device) == ["phone_system", name]
        assert name == DEVICE_ADD_ONS[device]
    else:
        assert names([name], device) == [name]


@pytest.mark.parametrize("device", KINDS)
def test_chat_is_never_held_by_a_session(device: DeviceKind) -> None:
    assert names(["CHAT"], device) == Refusal(code="device_not_allowed", product="CHAT")


def test_an_unknown_product_is_not_licensed() -> None:
    assert names(["MOBILE", "TELEPATHY"], "mobile") == Refusal(code="not_licensed", product="TELEPATHY")


def test_requirements_of_an_add_on_in_full() -> None:
    assert CATALOG.requirements(["call_recording"], "web_phone") == (
        Requirement(
            product="phone_system",
            combine="sum",
            counts_devices=False,
            max_per_user=None,
            missing="base_missing",
            asked=False,
        ),
        Requirement(
            product="call_recording", combine="sum", counts_devices=False, max_per_user=None, asked=True
        ),
        Requirement(
            product="device_web_rtc", combine="sum", counts_devices=True, max_per_user=1, asked=False
        ),
    )


def missing(products: list[str], device: DeviceKind) -> dict[str, str]:
    needed = CATALOG.requirements(products, device)
    assert not isinstance(needed, Refusal)
    return {requirement.product: requirement.missing for requirement in needed}


def test_a_missing_base_is_called_so_when_an_add_on_was_asked_for() -> None:
    assert missing(["phone_system"], "desktop")["phone_system"] == "not_licensed"
    assert missing(["device_desktop_app"], "desktop")["phone_system"] == "base_missing"
    assert missing(["phone_system", "team_chat"], "desktop") == {
        "phone_system": "base_missing",
        "team_chat": "not_licensed",
        "device_desktop_app": "not_licensed",
    }


def test_products_are_needed_once_and_the_base_first() -> None:
    asked = ["CALL_CENTER", "team_chat", "phone_system", "CALL_CENTER", "device_mobile_app"]
    assert names(asked, "mobile") == ["phone_system", "CALL_CENTER", "team_chat", "device_mobile_app"]
    assert names([], "mobile") == []


def test_holders() -> None:
    (user,) = requirements(["CALL_CENTER"], "desktop")
    base, phone = requirements(["phone_system"], "ip_phone")
    (device,) = requirements(["VOIP_DEVICE"], "ip_phone")
    assert holder_of(user, "alice@acme", "laptop") == "alice@acme"
    assert holder_of(base, "alice@acme", "desk") == "alice@acme"
    assert holder_of(phone, "alice@acme", "desk") == "alice@acme/desk"
    assert holder_of(device, "alice@acme", "desk") == "alice@acme/desk"


def requirements(products: list[str], device: DeviceKind) -> tuple[Requirement, ...]:
    needed = CATALOG.requirements(products, device)
    assert not isinstance(needed, Refusal)
    return needed
