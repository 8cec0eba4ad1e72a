"""The policy of a license: what becomes of its seats when it ends, shrinks or is withdrawn, and whom they are kept for.

| name | value | default |
|---|---|---|
| `on_expiry`, `on_lower`, `on_remove` | `drain`, `evict` or `after_call` | `drain` |
| `deadline_s` | how long holders may stay at the most (`drain`), or a call may last (`after_call`): 0 to 30 days | 8 hours |
| `device` | `refuse`, `one_per_class` or `take_over` | the catalogue's rule for the product |
| `notify_waiting` | whether holders are told when somebody waits for a seat | false |
| `reservations` | list of `{seats, user}`, `{seats, group}` or `{seats, domain}` | none |

Other names are kept as they are, for whoever reads the key; but none may begin with `on_`, so that a misspelt one is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from seatd.licensing.fields import Fields
from seatd.licensing.names import canonical_domain, check_domain, check_text, split_user

ENDINGS = ("drain", "evict", "after_call")
DEVICE_RULES = ("refuse", "one_per_class", "take_over")
POLICY_CHOICES = {
    "on_expiry": ENDINGS,
    "on_lower": ENDINGS,
    "on_remove": ENDINGS,
    "device": DEVICE_RULES,
}
MAX_DEADLINE_S = 30 * 86_400
MAX_RESERVATIONS = 50
POLICY_DEPTH = 4


def read_policy(license: Fields, *, kind: str, limit: int, domains: Iterable[str]) -> dict[str, object]:
    """The policy of a license claim, its reservations in the order in which they are drawn on (the narrowest first).

    Faults are noted in the claim. `domains` are those of the key, in their one form.
    """
    policy = license.member("policy", default={})
    for name, choices in POLICY_CHOICES.items():
        if name in policy.value and policy.value[name] not in choices:
            policy.fault("bad_policy", name, f"must be one of {', '.join(choices)}")
    for name in policy.value:
        if name.startswith("on_") and name not in POLICY_CHOICES:
            policy.fault("bad_policy", name, "no such policy; there are on_expiry, on_lower and on_remove")
    policy.bounded("deadline_s", 0, MAX_DEADLINE_S, "bad_policy", default=0)
    if not isinstance(policy.value.get("notify_waiting", False), bool):
        policy.fault("bad_policy", "notify_waiting", "must be true or false")
    if not _portable(policy.value, POLICY_DEPTH):
        license.fault("bad_policy", "policy", "is nested too deeply, or has a number above 2^53")
    if "reservations" not in policy.value:
        return dict(policy.value)
    return {**policy.value, "reservations": _reservations(policy, kind, limit, tuple(domains))}


def _reservations(policy: Fields, kind: str, limit: int, domains: tuple[str, ...]) -> list[dict[str, object]]:
    entries = policy.members("reservations") or []
    if kind == "nominal":
        policy.fault("bad_policy", "reservations", "seats are reserved of competitive licenses only")
    if len(entries) > MAX_RESERVATIONS:
        policy.fault("bad_policy", "reservations", f"has more than {MAX_RESERVATIONS} entries")
    found = [_reservation(entry, limit, domains) for entry in entries]
    if sum(seats for _, _, seats in found) > limit:
        policy.fault("bad_policy", "reservations", "reserves more seats than the license has")
    if len({(whom, name) for whom, name, _ in found}) < len(found):
        policy.fault("bad_policy", "reservations", "names somebody twice")
    found.sort(key=lambda item: tuple(CANONICAL).index(item[0]))
    return [{"seats": seats, whom: name} for whom, name, seats in found]


def _reservation(entry: Fields, limit: int, domains: tuple[str, ...]) -> tuple[str, str, int]:
    """Whom it is for (a field of CANONICAL), the name in its one form, and how many seats."""
    seats = entry.bounded("seats", 1, max(1, limit), "bad_policy", default=None)
    named = [whom for whom in CANONICAL if whom in entry.value]
    if len(named) != 1:
        entry.fault("bad_policy", "", "must be for one user, one group or one domain")
        return "user", "", seats
    (whom,) = named
    name = entry.text(whom, CANONICAL[whom])
    name = CANONICAL[whom](name) if name else ""
    domain = {"user": name.rpartition("@")[2], "domain": name}.get(whom, "")
    if domain and domain not in domains:
        entry.fault("bad_policy", whom, "is not of a domain of this key")
    return whom, name, seats


def _user(text: str) -> str:
    name, domain = split_user(text)
    return f"{name}@{canonical_domain(domain)}"


def _group(text: str) -> str:
    return check_text(text, "group")


def _domain(text: str) -> str:
    return canonical_domain(check_domain(text))


CANONICAL: dict[str, Callable[[str], str]] = {"user": _user, "group": _group, "domain": _domain}
"""Whom seats may be reserved for, the narrowest first, and what brings the name into its one form (or raises BadName)."""


def _portable(value: object, depth: int) -> bool:
    """Whether every reader takes it as it is: numbers that JSON keeps exactly (RFC 7493), not too deep."""
    if isinstance(value, dict | list):
        members = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_portable(member, depth - 1) for member in members)
    return not isinstance(value, int | float) or abs(value) <= 2**53
