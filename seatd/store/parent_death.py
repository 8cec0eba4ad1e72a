"""A process that ends when the one that started it does, however that ends (Linux; elsewhere nothing happens)."""

from __future__ import annotations

import ctypes
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after a fork it is too late


def signalled_at_parents_end(number: int) -> None:
    """From now on the kernel sends this process the signal when its parent ends. Whether it has ended already is to be
    looked at afterwards."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, number)
