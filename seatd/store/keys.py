"""Every key name of the store, built here and nowhere else.

All keys of a partition carry its hash tag, so one script may touch all of them, on a single server and on a cluster
alike. A customer's name is quoted, so that no name can leave its partition or imitate another key.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote
from zlib import crc32

DEPLOYMENT = "seatd:deployment"

REGISTRY_CHANNEL = "seatd:registry"
"""The channel on which all nodes are told whose licenses or assignments have changed: the message is the customer's name."""

PARTITION_KEYS = (
    "meta",
    "nodes",
    "by_node",
    "deadlines",
    "orders",
    "tombs",
    "cooldowns",
    "kicks",
    "customers",
    "former_customers",
    "expiries",
    "deliveries",
)
CUSTOMER_KEYS = (
    "licenses",
    "withdrawn",
    "offers",
    "license_keys",
    "profile",
    "seats",
    "assignments",
    "sessions",
    "by_user",
    "queue",
    "pace",
    "account",
    "domains",
    "users",
    "extensions",
    "resources",
    "webhooks",
    "audit",
    "invoices",
    "events",
    "meters",
    "spread",
    "usage",
    "refused",
    "delivery_times",
    "delivery_bodies",
    "dead_letters",
)
DEPLOYMENT_KEYS = (
    "agencies",
    "administrators",
    "sign_ins",
    "sign_in_links",
    "attempts",
    "api_tokens",
    "domain_owners",
    "domain_claims",
    "idempotency",
    "idempotency_times",
    "deployment_audit",
)


QUEUE_CHANNEL = "seatd:queue"
"""Where it is said that a customer's queue has moved (the same name stands in `queue.lua`)."""


@lru_cache(maxsize=65536)
def partition_of(customer: str, partitions: int) -> int:
    """The partition in which a customer lives for good: crc32 of the name, modulo the number of partitions."""
    return crc32(customer.encode()) % partitions


def wake_channel(node: str) -> str:
    """The channel on which `node` is told that orders wait for it (the same name stands in `orders.lua`)."""
    return f"seatd:wake:{node}"


@lru_cache(maxsize=65536)
def partition_key(name: str, partition: int) -> str:
    """A key that a whole partition shares, such as `seatd:{07}:nodes`."""
    return f"seatd:{{{partition:02}}}:{name}"


@lru_cache(maxsize=65536)
def customer_key(name: str, partition: int, customer: str) -> str:
    """A key of one customer, such as `seatd:{07}:c:acme:seats`."""
    return f"seatd:{{{partition:02}}}:c:{quote(customer, safe='')}:{name}"


def deployment_key(name: str) -> str:
    """A key that belongs to no customer, such as `seatd:{all}:agencies`. All of them are in one slot."""
    return f"seatd:{{all}}:{name}"


@lru_cache(maxsize=16384)
def names_of(keys: tuple[str, ...], partition: int, customer: str | None) -> tuple[str, ...]:
    """The full names of a script's keys: some thirty, for every call anew, were they not remembered."""
    return tuple(key(name, partition, customer) for name in keys)


def key(name: str, partition: int, customer: str | None) -> str:
    """The full name of the key that scripts call `name`."""
    if name in DEPLOYMENT_KEYS:
        return deployment_key(name)
    if name in PARTITION_KEYS:
        return partition_key(name, partition)
    if name in CUSTOMER_KEYS and customer is not None:
        return customer_key(name, partition, customer)
    raise KeyError(f"{name} is no key of {'a partition' if customer is None else 'a customer'}")
