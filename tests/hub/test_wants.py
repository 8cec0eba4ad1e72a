"""From product names to what is asked of the store: the token's limits, the catalogue's rules."""

from __future__ import annotations

from typing import Any

import pytest

from seatd.hub.tokens import Identity
from seatd.hub.wants import wants_of, with_add_ons
from seatd.store.values import Denied
from seatd_protocol.messages import Device, DeviceKind
from tests.licensing.build import CATALOG

USER = "ann@acme.example"


def identity(**limits: Any) -> Identity:
    return Identity(user=USER, domain="acme.example", customer="acme", expires_s=0, **limits)


def device(kind: DeviceKind = "desktop") -> Device:
    return Device(kind=kind, id="d1")


def asked(*products: str, kind: DeviceKind = "desktop", **limits: Any) -> dict[str, str] | Denied:
    """Product -> holder, in order; or the denial."""
    wants = wants_of(CATALOG, products, identity(**limits), device(kind))
    return wants if isinstance(wants, Denied) else {want.product: want.holder for want in wants}


def test_users_and_devices_as_holders() -> None:
    assert asked("CALL_CENTER") == {"CALL_CENTER": USER}
    assert asked("VOIP_DEVICE", kind="ip_phone") == {"VOIP_DEVICE": f"{USER}/d1"}


def test_nothing_asked() -> None:
    assert asked() == {}


def test_a_product_twice_is_drawn_once() -> None:
    assert asked("CALL_CENTER", "CALL_CENTER") == {"CALL_CENTER": USER}


@pytest.mark.parametrize(
    ("kind", "add_on"),
    [
        ("desktop", "device_desktop_app"),
        ("mobile", "device_mobile_app"),
        ("web_phone", "device_web_rtc"),
        ("ip_phone", "device_ip_phone"),
    ],
)
def test_an_add_on_draws_its_base_and_its_device(kind: DeviceKind, add_on: str) -> None:
    wants = wants_of(CATALOG, ("team_chat",), identity(), device(kind))
    assert not isinstance(wants, Denied)
    assert {want.product for want in wants} == {"phone_system", "team_chat", add_on}
    assert wants[0].product == "phone_system"
    assert {want.product: want.missing for want in wants}["phone_system"] == "base_missing"
    per_user = {want.product: want.max_per_user for want in wants}[add_on]
    assert per_user == (1 if add_on in ("device_web_rtc", "device_ip_phone") else 0)


def test_what_the_token_does_not_name() -> None:
    denied = asked("CALL_CENTER", "CALL_MANAGER", products=frozenset({"CALL_CENTER"}))
    assert denied == Denied(code="not_entitled", product="CALL_MANAGER")


def test_what_a_named_product_implies_need_not_be_named() -> None:
    wants = asked("team_chat", products=frozenset({"team_chat"}))
    assert isinstance(wants, dict)
    assert set(wants) == {"phone_system", "team_chat", "device_desktop_app"}


def test_a_device_that_the_token_does_not_name() -> None:
    limits = {"devices": frozenset({"mobile"})}
    assert asked("CALL_CENTER", **limits) == Denied(code="device_not_allowed", product="CALL_CENTER")
    assert asked(**limits) == Denied(code="device_not_allowed")
    assert asked("CALL_CENTER", kind="mobile", **limits) == {"CALL_CENTER": USER}


@pytest.mark.parametrize(
    ("product", "code"),
    [("NO_SUCH", "not_licensed"), ("MOBILE", "device_not_allowed"), ("CHAT", "device_not_allowed")],
)
def test_what_the_catalogue_refuses(product: str, code: str) -> None:
    assert asked("CALL_CENTER", product) == Denied(code=code, product=product)


def test_a_base_is_released_with_its_add_ons() -> None:
    held = ("CALL_CENTER", "phone_system", "team_chat", "device_desktop_app", "gone_from_the_catalogue")
    named = with_add_ons(CATALOG, ("phone_system",), held)
    assert named == ["phone_system", "team_chat", "device_desktop_app"]
    assert with_add_ons(CATALOG, ("team_chat", "team_chat"), held) == ["team_chat"]
