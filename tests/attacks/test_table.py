"""Every attack of the list has a test or a reason, and docs/security.md says the same as the tests."""

from __future__ import annotations

from tests.attacks import attack, table


def test_every_attack_is_tried_or_named_as_not_defended() -> None:
    table.load()
    tried = {item.number for item in attack.ATTACKS}
    undefended = {item.number for item in attack.UNDEFENDED}
    assert not tried & undefended
    assert sorted(tried | undefended) == list(attack.NUMBERS)


def test_the_page_is_true_to_the_tests() -> None:
    page = table.PAGE.read_text("utf-8")
    assert page == table.written(page), "run python -m tests.attacks.table"
