"""A node dies with all sessions on it, and everybody comes back on the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from loadtest.clients.client import VirtualClient
from loadtest.clients.connection import Place
from loadtest.scenarios.again import until_back
from loadtest.scenarios.plan import Plan, some_at_once, until

BACK_S = 90.0
"""Longer than the sessions of a dead node are kept: who is not back by then has lost his."""


async def run(plan: Plan) -> None:
    """Once. `back` is measured from the kill, or, where somebody else does it, from the first connection that is lost."""
    places = plan.terms.places
    people = await _signed_in_at(places[-1], plan)
    story = _Story(plan, places[:-1] or places)
    plan.terms.on_lost = story.lost
    try:
        await _struck(plan, story, people)
        if not await until(story.is_over, BACK_S):
            plan.recorder.counts["error not back"] += sum(not one.connected for one in people)
    finally:
        plan.terms.on_lost = None
        story.end()


async def _signed_in_at(place: Place, plan: Plan) -> list[VirtualClient]:
    """Everybody, on the node that is to die."""
    people = plan.everybody()
    await some_at_once(people, lambda one: one.sign_in(place=place))
    return [one for one in people if one.connected]


async def _struck(plan: Plan, story: _Story, people: Sequence[VirtualClient]) -> None:
    """Returns once nobody is on the node any more, or when nobody has killed it for as long as the plan says."""
    if plan.kill is not None:
        story.since_s = time.perf_counter()
        plan.kill()
    else:
        plan.say(f"Kill the last node now; within {plan.seconds:g} s.")
    if not await until(lambda: bool(story.coming), plan.seconds):
        plan.recorder.count("error nobody lost a connection")
    else:
        await until(lambda: len(story.coming) >= len(people), plan.seconds)


class _Story:
    """Who has lost his connection, and comes back."""

    def __init__(self, plan: Plan, places: Sequence[Place]) -> None:
        self.since_s = 0.0
        self.coming: dict[VirtualClient, asyncio.Task[None]] = {}
        self._plan = plan
        self._places = places

    def lost(self, one: VirtualClient) -> None:
        """Brings him back."""
        self.since_s = self.since_s or time.perf_counter()
        self.coming[one] = asyncio.create_task(self._comes_back(one))

    def is_over(self) -> bool:
        """Whether all who were lost are back."""
        return all(task.done() for task in self.coming.values())

    def end(self) -> None:
        """Whoever is not back stays away."""
        for task in self.coming.values():
            task.cancel()

    async def _comes_back(self, one: VirtualClient) -> None:
        place = self._places[one.number % len(self._places)]
        await until_back(one, partial(one.move, place, since_s=self.since_s, step="back"), lost=True)
