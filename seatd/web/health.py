"""For load balancers and orchestrators: does the node live, and may it get clients? A worker answers for all."""

from __future__ import annotations

import msgspec
from aiohttp import web

from seatd.web.services import SERVICES, Services
from seatd.web.siblings import Answer, Silence

OWN_LIFE, OWN_CHECKS = "/livez", "/checks"


async def livez(request: web.Request) -> web.Response:
    """200 as long as the event loop turns. The store is not asked: restarting a node does not mend it.

    A worker that has died is started again by its supervisor; one that hangs is not.
    """
    answers = await request.app[SERVICES].siblings.ask(OWN_LIFE)
    hanging = [name for name, answer in answers.items() if answer is Silence.HANGS]
    lines = [f"{name} {Silence.HANGS.value}" for name in hanging] or ["ok"]
    return web.Response(status=503 if hanging else 200, text="\n".join(lines) + "\n")


async def readyz(request: web.Request) -> web.Response:
    """200, or 503 with the checks that fail; `?verbose` lists all of them."""
    checks = await _checks(request.app[SERVICES])
    failing = {name: reason for name, reason in checks.items() if reason}
    shown = checks if "verbose" in request.query else failing
    lines = [f"[-] {name}: {reason}" if reason else f"[+] {name}" for name, reason in shown.items()]
    lines.append("not ready" if failing else "ok")
    return web.Response(status=503 if failing else 200, text="\n".join(lines) + "\n")


async def own_life(_request: web.Request) -> web.Response:
    """This worker's loop turns."""
    return web.Response(text="ok\n")


async def own_checks(request: web.Request) -> web.Response:
    """This worker's checks, for the others."""
    return web.json_response(request.app[SERVICES].hub.checks())


async def _checks(services: Services) -> dict[str, str]:
    """Name -> "" when fine, else why not."""
    own, siblings = services.hub.checks(), services.siblings
    if not siblings:
        return own
    answers: dict[str, Answer] = await siblings.ask(OWN_CHECKS)
    found = {name: _told(answer) for name, answer in answers.items()} | {siblings.name: own}
    return {
        f"{worker} {check}": reason for worker in siblings.places for check, reason in found[worker].items()
    }


def _told(answer: Answer) -> dict[str, str]:
    """A worker that is not there gets no clients from the kernel, so it keeps none from those that are."""
    match answer:
        case Silence.GONE:
            return {answer.value: ""}
        case Silence.HANGS:
            return {"answer": answer.value}
        case _:
            return msgspec.json.decode(answer, type=dict[str, str])
