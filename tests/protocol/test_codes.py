"""The tables of codes: numbers, slugs, actions."""

import pytest

from seatd_protocol import codes
from seatd_protocol.codes import (
    CLOSE_CODES,
    DENIAL_CODES,
    ERROR_CODES,
    LOGOUT_CODES,
    MAX_REASON,
    NOTICE_CODES,
    Action,
    CloseCode,
    action_of,
)


def test_the_numbers_of_the_contract() -> None:
    assert {number: code.slug for number, code in CLOSE_CODES.items()} == {
        1000: "normal", 1001: "going_away",
        4000: "moving", 4001: "lease_lost", 4002: "store_lost",
        4100: "overloaded", 4101: "slow_consumer", 4102: "no_alive", 4103: "internal", 4104: "rate_limited",
        4200: "token_expired", 4201: "token_revoked", 4202: "hello_timeout",
        4300: "denied", 4301: "replaced", 4302: "logout", 4303: "license_ended",
        4400: "bad_message", 4401: "bad_token", 4403: "forbidden", 4409: "second_hello",
    }  # fmt: skip


def test_each_code_is_a_constant_and_stands_in_the_table() -> None:
    constants = {name.lower(): code for name, code in vars(codes).items() if isinstance(code, CloseCode)}
    assert constants == {code.slug: code for code in CLOSE_CODES.values()}


@pytest.mark.parametrize(
    ("hundreds", "action"),
    [
        (40, Action.RESUME),
        (41, Action.RECONNECT),
        (42, Action.NEW_TOKEN),
        (43, Action.TELL),
        (44, Action.NEVER),
    ],
)
def test_the_hundreds_decide_for_every_number(hundreds: int, action: Action) -> None:
    assert {action_of(number) for number in range(hundreds * 100, hundreds * 100 + 100)} == {action}


def test_all_else_reconnects() -> None:
    done = {number for number in range(5000) if action_of(number) is Action.DONE}
    assert done == {1000, 1001}
    for number in (0, 1002, 1005, 1006, 1009, 1011, 1012, 3999, 4500, 4999, 70000, -1):
        assert action_of(number) is Action.RECONNECT


def test_a_code_knows_its_action() -> None:
    assert codes.LOGOUT.action is Action.TELL
    assert codes.NORMAL.action is Action.DONE


def test_the_reason_is_the_slug() -> None:
    assert all(code.reason() == code.slug for code in CLOSE_CODES.values())


@pytest.mark.parametrize("detail", ["x" * 500, "\u00e9" * 500, "x" + "\u20ac" * 500, "\U0001f600" * 99])
def test_a_long_reason_is_cut_between_characters(detail: str) -> None:
    reason = codes.BAD_MESSAGE.reason(detail)
    assert len(reason.encode()) <= MAX_REASON
    assert len(reason.encode()) > MAX_REASON - 4
    assert f"bad_message: {detail}".startswith(reason)


def test_the_denials_of_the_contract() -> None:
    temporary = {slug for slug, code in DENIAL_CODES.items() if code.temporary}
    assert temporary == {
        "no_seat", "cooldown", "queue_full", "wait_timeout", "unavailable", "recovering", "overloaded",
    }  # fmt: skip
    assert set(DENIAL_CODES) - temporary == {
        "not_licensed", "not_assigned", "not_entitled", "license_expired", "license_not_yet_valid",
        "base_missing", "device_not_allowed", "suspended",
    }  # fmt: skip


def test_the_other_tables() -> None:
    assert set(NOTICE_CODES) == {
        "license_expiring", "someone_waits", "store_recovering", "token_expiring", "maintenance",
    }  # fmt: skip
    assert set(ERROR_CODES) == {"unknown_session", "not_held", "busy_elsewhere", "unavailable", "unsupported"}
    assert set(LOGOUT_CODES) == {"forced", "license_ended", "customer_suspended", "signed_out"}
    assert all((NOTICE_CODES | ERROR_CODES | LOGOUT_CODES).values())
