"""Close codes and what a client does about them."""

from seatd_protocol.codes import CLOSE_CODES, DENIAL_CODES
from tests.protocol.vectors import Map


def close_codes() -> Map:
    """What a client does about each close code, denial and lost connection, and how long it waits."""
    unknown = {1006: "reconnect", 1009: "reconnect", 1011: "reconnect", 3000: "reconnect"}
    newer = {
        4042: "resume",
        4199: "reconnect",
        4250: "new_token",
        4399: "tell",
        4499: "never",
        4500: "reconnect",
    }
    return {
        "codes": [
            {"number": code.number, "slug": code.slug, "action": code.action.value}
            for code in CLOSE_CODES.values()
        ],
        "unknown": [{"number": number, "action": action} for number, action in (unknown | newer).items()],
        "reasons": [
            {"number": 4300, "detail": "", "reason": "denied"},
            {"number": 4400, "detail": "no `type`", "reason": "bad_message: no `type`"},
            {"number": 4400, "detail": "x" * 200, "reason": "bad_message: " + "x" * 110},
            {"number": 4400, "detail": "\u00e9" * 100, "reason": "bad_message: " + "\u00e9" * 55},
            {"number": 4400, "detail": "x" + "\u00e9" * 100, "reason": "bad_message: x" + "\u00e9" * 54},
        ],
        "denials": {code.slug: code.temporary for code in DENIAL_CODES.values()},
        "backoff": backoff(),
    }


def backoff() -> list[Map]:
    """`linger_s` of the session to come back to, if there is one. Each step: an action or `settled`, the random number drawn
    (0 to 1), the wait (null: do not come back)."""

    def steps(*rows: tuple[str, float | None, float | None]) -> list[Map]:
        return [{"action": action, "random": drawn, "delay_s": delay} for action, drawn, delay in rows]

    def case(name: str, rows: list[Map], linger_s: float | None = None) -> Map:
        return {"name": name, "linger_s": linger_s, "steps": rows}

    grows = [("reconnect", 1.0, delay) for delay in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)]
    kept = [("reconnect", 1.0, delay) for delay in (1.0, 2.0, 4.0, 7.5, 7.5)]
    return [
        case("the longest waits", steps(*grows)),
        case("a session is kept for 30 s", steps(*kept), 30.0),
        case("a session is kept for hardly any time", steps(*[("reconnect", 1.0, 0.5)] * 3), 1.0),
        case("the shortest waits", steps(*[("reconnect", 0.0, 0.5)] * 8)),
        case("in between", steps(("reconnect", 0.5, 0.75), ("reconnect", 0.5, 1.25))),
        case("at once, but only once", steps(("resume", None, 0.0), ("resume", 1.0, 2.0), ("new_token", 1.0, 4.0))),
        case("a beat was answered in between", steps(
                ("resume", None, 0.0), ("settled", None, None), ("new_token", None, 0.0),
                ("settled", None, None), ("reconnect", 1.0, 1.0),
            )),
        case("no way back", steps(("done", None, None), ("tell", None, None), ("never", None, None))),
    ]  # fmt: skip
