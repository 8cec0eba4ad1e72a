"""Fourteen ways to get it wrong, one rule each."""

from __future__ import annotations

from enum import Enum


class Bug(Enum):
    """A rule that is switched off; the value says what is done instead."""

    NO_GUARD = "scripts do not look whether this is the server that wrote the data"
    SHORT_RECOVERY = "grants resume a second after a loss"
    RUN_ID = "the guard compares the process instead of the replication id"
    IDS_REUSED = "session ids are counted, and the count begins anew with a process"
    EXISTS_IS_OK = "a session that exists is granted to whoever names it, as it stands"
    TOMBS_FORGOTTEN = "nodes do not say again who was ended or forced out"
    WALL_CLOCK = "a node times its lease by the wall clock"
    LEASE_FROM_REPLY = "a node counts its lease from the answer instead of from before it asked"
    DEADLINE_EXTENDED = "a recovery gives parked sessions more time, even those whose time was over"
    NO_FENCE = "the end of a socket ends its session wherever that lives by now"
    NO_COOLDOWN = "a forced logout ends sessions, but the user may sign in anew at once"
    SWEEP_IN_RECOVERY = "what is past its deadline is swept and handed on during a recovery"
    STALE_LIMIT = "the limit is read before the script that grants, not in it"
    NEW_ID_PER_TRY = "a sign-in of unknown outcome is tried again under another id"
