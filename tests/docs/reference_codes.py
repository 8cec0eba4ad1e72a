"""docs/reference/codes.md: everything that a server may answer, in one place."""

from __future__ import annotations

from seatd.web.errors import PROBLEMS
from seatd_protocol.codes import CLOSE_CODES, DENIAL_CODES, ERROR_CODES, LOGOUT_CODES, NOTICE_CODES
from tests.docs.markdown import MADE, table, ticked


def page() -> str:
    """The page."""
    parts = [
        "# Codes",
        f"{MADE} How clients act on the codes of the wire is told in the [contract](../../protocol/README.md#close-codes), "
        "how to call the REST API in [its page](../rest.md).",
        "## Close codes",
        "The number with which a WebSocket is closed; the slug is its reason, and the label in "
        "`seatd_sessions_closed_total`.",
        table(
            "number|slug|a client|meaning",
            [(c.number, f"`{c.slug}`", f"`{c.action.value}`", c.meaning) for c in CLOSE_CODES.values()],
        ),
        "## Denials",
        "`code` of `denied`, of the stream's and the webhooks' `denial`, and the label in `seatd_denials_total`. "
        "Temporary: the same request may well succeed soon, nobody doing anything.",
        table(
            "code|temporary|meaning",
            [(f"`{c.slug}`", "yes" if c.temporary else "no", c.meaning) for c in DENIAL_CODES.values()],
        ),
        *_of("Notices", "`code` of `notice`.", NOTICE_CODES),
        *_of("Errors", "`code` of `error`, the answer to a request that could not be done.", ERROR_CODES),
        *_of("Logouts", "`code` of `logout`.", LOGOUT_CODES),
        "## Problems of the REST API",
        "`code` of an answer of the type `application/problem+json`.",
        table("code|status|title", [(f"`{c}`", kind.status, kind.title) for c, kind in PROBLEMS.items()]),
        f"Codes that are both a denial and a problem: {ticked(sorted(set(DENIAL_CODES) & set(PROBLEMS)))}.\n",
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _of(title: str, text: str, codes: dict[str, str]) -> list[str]:
    return [f"## {title}", text, table("code|meaning", [(f"`{c}`", text) for c, text in codes.items()])]
