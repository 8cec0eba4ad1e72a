"""Which names are allowed for users, domains, customers and licenses.

Names end up in keys, URLs, logs and metrics, and two different names must not look or count as one: so no
control, format or space characters (which include direction marks and zero-width characters), one Unicode
form (NFC), and a bound on the length. Upper and lower case are different names, except in domains. A name
is refused, never repaired: whoever wrote it learns of it. Messages never repeat the name, they may end up in
logs.
"""

from __future__ import annotations

import unicodedata

MAX_USER = 254  # RFC 5321 section 4.5.3.1.3, the length of an address
MAX_DOMAIN = 253  # RFC 1035 section 2.3.4, without the root's dot
MAX_CUSTOMER = 64
MAX_LICENSE = 64
MAX_TEXT = 200
# Invisible, but Persian and Indic spelling needs them.
JOINERS: dict[int, None] = dict.fromkeys(map(ord, "\u200c\u200d"))


class BadName(ValueError):
    """The name is not allowed; the message says why, without the name."""


def split_user(user: str) -> tuple[str, str]:
    """The two sides of `name@domain`. Raises BadName."""
    _check(user, "user", MAX_USER)
    name, _, domain = user.partition("@")
    if user.count("@") != 1 or not name or not domain:
        raise BadName("user must be name@domain with exactly one @")
    check_domain(domain)
    return name, domain


def check_domain(domain: str) -> str:
    """The domain, as it was. Raises BadName."""
    _check(domain, "domain", MAX_DOMAIN)
    if "/" in domain or "@" in domain:
        raise BadName("domain must have no / and no @")
    return domain


def canonical_domain(domain: str) -> str:
    """The one form in which domains are compared: case folded, NFC."""
    return unicodedata.normalize("NFC", domain.casefold())


def check_customer(customer: str) -> str:
    """The customer's id, as it was; single spaces inside are allowed. Raises BadName."""
    _check(customer.replace(" ", "_"), "customer id", MAX_CUSTOMER)
    if " ".join(customer.split()) != customer:
        raise BadName("customer id must not begin or end with a space, nor have two in a row")
    return _check_segment(customer, "customer id")


def check_license(license_id: str) -> str:
    """The license's id, as it was. Raises BadName."""
    _check(license_id, "license id", MAX_LICENSE)
    return _check_segment(license_id, "license id")


def check_administrator(name: str) -> str:
    """An administrator's name, plain or like an e-mail address, as it was. Raises BadName."""
    return _check_segment(_check(name, "name", MAX_USER), "name")


def check_text(text: str, what: str = "text") -> str:
    """Text that people read (a company's name, a tier): spaces allowed, may be empty. Raises BadName."""
    if len(text) > MAX_TEXT:
        raise BadName(f"{what} must have at most {MAX_TEXT} characters")
    if not text.translate(JOINERS).isprintable():
        raise BadName(f"{what} must have no control, format or line break characters")
    return text


def _check_segment(name: str, what: str) -> str:
    """One segment of a URL: "." and ".." would be resolved away, "/" would split it."""
    if "/" in name or name in (".", ".."):
        raise BadName(f"{what} must have no / and not be . or ..")
    return name


def _check(name: str, what: str, longest: int) -> str:
    if not 1 <= len(name) <= longest:
        raise BadName(f"{what} must have 1 to {longest} characters")
    # isprintable() is False for control, format, surrogate, unassigned and separator characters, except " ".
    if not name.isprintable() or " " in name:
        raise BadName(f"{what} must have no spaces, control or format characters")
    if not unicodedata.is_normalized("NFC", name):
        raise BadName(f"{what} must be in Unicode form NFC")
    return name
