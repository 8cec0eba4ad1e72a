"""How many clients this process has descriptors for: a connection that no descriptor is left for can not even be refused."""

from __future__ import annotations

import contextlib
import errno
import os
import resource

UNLIMITED = 1_000_000
LEAST_KEPT, MOST_KEPT = 64, 1024
"""Kept back for the store, administrators, Prometheus, files, connections that are being refused: a quarter, within these."""
OPEN = "/dev/fd"
"""Lists what this process has open (Linux, macOS)."""


def raise_limit() -> None:
    """As many as the system lets this process have. (A service often starts with 1024, for the sake of old programs.)"""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS calls unlimited what it then refuses
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def limit() -> int:
    """How many descriptors this process may have open."""
    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if now == resource.RLIM_INFINITY else min(now, UNLIMITED)


def kept(descriptors: int) -> int:
    """How many of so many are kept back from clients."""
    return min(MOST_KEPT, max(LEAST_KEPT, descriptors // 4))


def room(descriptors: int) -> int:
    """How many clients fit into so many descriptors, at least one."""
    return max(1, descriptors - kept(descriptors))


def opened() -> int:
    """How many descriptors this process has open: all, when there is none left to look with. Takes some milliseconds when
    there are thousands."""
    try:
        return len(os.listdir(OPEN)) - 1
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return limit()
        return 0  # a system that does not tell: the door stays open, as it was before there was one
