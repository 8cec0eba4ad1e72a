"""One file per reader of foreign bytes; its `TARGET` is what is fuzzed."""

from __future__ import annotations

from importlib import import_module

from tests.fuzz.target import Target

READERS = (
    "codec",
    "tokens",
    "token_keys",
    "tickets",
    "license_keys",
    "vendor_keys",
    "extension_file",
    "configuration",
    "catalog",
    "bodies",
    "queries",
)
"""Functions of ours."""
SERVED = ("frames", "requests")
"""Whole servers: what they do with an input, coverage cannot see from outside."""
NAMES = (*READERS, *SERVED)
"""All targets. `planted` besides has a bug on purpose."""


def target(name: str) -> Target:
    """The target of this name. Only its own file is imported: a fuzzer that is led by coverage wants to see little else."""
    found = import_module(f"tests.fuzz.targets.{name}").TARGET
    assert isinstance(found, Target)
    return found
