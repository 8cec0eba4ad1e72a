"""What each row of the table must reach, and what it aims at. The names are those of `./dev bench --only`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`must` and `aim` are at most, or, with `at_least`, at least; they are for what is judged: the ratio to the floor where
    there is one, else the figure itself, in `unit`."""

    title: str
    unit: str
    must: float
    aim: float
    at_least: bool = False

    def verdict(self, judged: float) -> str:
        """`aim`, `must`, or `FAIL`."""
        for goal, word in ((self.aim, "aim"), (self.must, "must")):
            if (judged >= goal) if self.at_least else (judged <= goal):
                return word
        return "FAIL"


GOALS = {
    "sign-in": Goal("CPU per sign-in with two products", "us", 2.0, 1.4),
    "acquire": Goal("acquires and releases a second", "1/s", 0.25, 0.5, at_least=True),
    "memory": Goal("memory per session, node", "KiB", 1.5, 1.2),
    "store-memory": Goal("memory per session, store", "B", 1200, 700),
    "idle": Goal("CPU per beat, idle", "us", 60, 25),
    # Its floor is seatd itself without sessions: idle sessions are to ask the store for nothing. (The sample is small.)
    "idle-store": Goal("scripts a second in the store, idle", "1/s", 1.25, 1.1),
    "logout": Goal("forced out on another node, p99", "ms", 50, 10),
    "logout-all": Goal("all forced out at once", "s", 5, 2),
    "queue": Goal("a freed seat handed on, p99", "ms", 50, 10),
    "fairness": Goal("a request's p99 beside a noisy customer's", "ms", 2.0, 1.2),
    "kill": Goal("a node killed, all back on the other", "s", 10, 5),
    "two-nodes": Goal("sign-ins per CPU second, one of two nodes", "1/s", 0.9, 1.0, at_least=True),
    # 0: a grant costs the same whatever the number of sessions; 1: its cost grows as the logarithm of it does.
    "grants": Goal("growth of a grant's cost, against the logarithm's", "log", 1.0, 0.1),
    "pages": Goal("the slowest administrators' page, p99", "ms", 100, 50),
    "pages-grants": Goal("a grant's p99 longer because of pages", "ms", 5, 2),
}
