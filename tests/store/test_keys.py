"""Key names: one partition, one hash tag, whatever the customer is called."""

from __future__ import annotations

import re
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from seatd.store.keys import (
    CUSTOMER_KEYS,
    PARTITION_KEYS,
    customer_key,
    key,
    partition_key,
    partition_of,
    wake_channel,
)
from seatd.store.scripts import shared

HOSTILE = ["{", "}", "{00}", "}:nodes", "a:seats", ":", "", "\0", "é", "\U0001f600", "..", "a b", "%7B", "*"]

a_name = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
a_customer_key = st.sampled_from(CUSTOMER_KEYS)


def test_names_as_they_stand() -> None:
    assert partition_key("nodes", 7) == "seatd:{07}:nodes"
    assert customer_key("seats", 7, "acme") == "seatd:{07}:c:acme:seats"
    assert customer_key("seats", 123, "a:b{c}") == "seatd:{123}:c:a%3Ab%7Bc%7D:seats"


def test_a_customer_stays_in_its_partition() -> None:
    assert partition_of("acme", 64) == crc32(b"acme") % 64 == 62
    assert partition_of("é", 64) == crc32("é".encode()) % 64


@given(a_name, a_customer_key, st.integers(0, 200))
def test_all_keys_of_a_partition_are_in_one_slot(customer: str, name: str, partition: int) -> None:
    """The hash tag is what stands between the first `{` and the first `}` after it."""
    tag = re.search(r"\{(.*?)\}", customer_key(name, partition, customer))
    assert tag
    assert tag[1] == f"{partition:02}"
    slots = {key_slot(partition_key(other, partition).encode()) for other in PARTITION_KEYS}
    assert slots == {key_slot(customer_key(name, partition, customer).encode())}


@given(a_name, a_name, a_customer_key, a_customer_key)
def test_no_two_customers_share_a_key(one: str, other: str, name: str, other_name: str) -> None:
    same = customer_key(name, 0, one) == customer_key(other_name, 0, other)
    assert same == ((one, name) == (other, other_name))


@given(a_name, a_customer_key)
def test_no_customer_imitates_a_key_of_the_partition(customer: str, name: str) -> None:
    assert customer_key(name, 0, customer) not in {partition_key(other, 0) for other in PARTITION_KEYS}
    assert re.fullmatch(r"[A-Za-z0-9_.~%:{}-]+", customer_key(name, 0, customer))


def test_scripts_name_their_keys_by_what_they_are() -> None:
    assert key("nodes", 1, None) == key("nodes", 1, "acme") == "seatd:{01}:nodes"
    assert key("seats", 1, "acme") == "seatd:{01}:c:acme:seats"
    with pytest.raises(KeyError, match="no key of a partition"):
        key("seats", 1, None)
    with pytest.raises(KeyError, match="no key of a customer"):
        key("nonsense", 1, "acme")


def test_scripts_wake_the_channel_that_nodes_listen_on() -> None:
    assert f"'{wake_channel('')}' .. node" in shared("orders")
