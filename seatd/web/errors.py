"""Every refusal of the REST API: one table of codes, one shape (RFC 9457), no internals for strangers.

    Problem    the request is refused; the middleware makes it the answer

A handler raises `Problem(code)`; whatever else goes wrong becomes `internal`, with its traceback
in the log only.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from seatd.store.values import StoreUnavailable, UnknownCustomer

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2  # a store that restarts or fails over is back within seconds

_log = structlog.get_logger(__name__)


class ProblemKind(msgspec.Struct, frozen=True):
    """What a code means: its HTTP status and its sentence."""

    status: int
    title: str


PROBLEMS: dict[str, ProblemKind] = {
    "bad_json": ProblemKind(400, "The body is not JSON"),
    "bad_request": ProblemKind(400, "The request cannot be understood"),
    "unauthenticated": ProblemKind(401, "A valid API token is needed"),
    "sign_in_refused": ProblemKind(401, "Name, password, code or link is wrong"),
    "forbidden": ProblemKind(403, "The caller's role does not allow this"),
    "cross_site": ProblemKind(403, "The call does not come from the page that signed in"),
    "totp_needed": ProblemKind(403, "A one-time code must be set up first"),
    "wrong_password": ProblemKind(403, "The password is wrong"),
    "wrong_code": ProblemKind(403, "The one-time code is wrong, or was used already"),
    "not_found": ProblemKind(404, "There is nothing here"),
    "unknown_license": ProblemKind(404, "There is no such license"),
    "unknown_session": ProblemKind(404, "There is no such session"),
    "unknown_customer": ProblemKind(404, "There is no such customer"),
    "unknown_domain": ProblemKind(404, "There is no such domain"),
    "unknown_administrator": ProblemKind(404, "There is no such administrator"),
    "unknown_token": ProblemKind(404, "There is no such API token"),
    "unknown_grant": ProblemKind(404, "The administrator has no such grant"),
    "unknown_agency": ProblemKind(404, "There is no such agency"),
    "unknown_user": ProblemKind(404, "There is no such user"),
    "unknown_extension": ProblemKind(404, "There is no such extension"),
    "unknown_resource": ProblemKind(404, "There is no such resource"),
    "unknown_webhook": ProblemKind(404, "There is no such webhook"),
    "unknown_dead_letter": ProblemKind(404, "There is no such dead letter"),
    "unknown_invoice": ProblemKind(404, "There is no such invoice statement"),
    "not_assigned": ProblemKind(404, "The license is not assigned to this user"),
    "method_not_allowed": ProblemKind(405, "The method is not allowed here"),
    "too_slow": ProblemKind(408, "The body does not come"),
    "older_key": ProblemKind(409, "A newer key has been imported for these licenses"),
    "other_customer": ProblemKind(409, "These licenses belong to another customer"),
    "domain_taken": ProblemKind(409, "The domain belongs to another customer"),
    "administrator_exists": ProblemKind(409, "There is an administrator of this name"),
    "last_operator": ProblemKind(409, "The last operator cannot go"),
    "no_session": ProblemKind(409, "An API token has no profile to change"),
    "agency_exists": ProblemKind(409, "There is an agency of this name already"),
    "agency_in_use": ProblemKind(409, "The agency has customers"),
    "customer_exists": ProblemKind(409, "There is a customer of this name already"),
    "customer_deleted": ProblemKind(409, "The customer is being deleted"),
    "customer_suspended": ProblemKind(409, "The customer is suspended and gets nothing new"),
    "block_in_use": ProblemKind(409, "A number block holds extensions that are in use"),
    "domain_in_use": ProblemKind(409, "The domain has users, licenses or resources"),
    "user_exists": ProblemKind(409, "There is a user of this name already"),
    "user_in_use": ProblemKind(409, "The user has an extension"),
    "resource_limit": ProblemKind(409, "As many as the license allows are switched on"),
    "no_resource": ProblemKind(409, "The product limits no resource"),
    "not_licensed": ProblemKind(409, "No license of the product covers the domain now"),
    "idempotency_busy": ProblemKind(409, "What was asked with this Idempotency-Key is still being done"),
    "idempotency_too_long": ProblemKind(409, "It was done; the answer was too long to be kept"),
    "webhook_limit": ProblemKind(409, "The customer has as many webhooks as there may be"),
    "period_not_over": ProblemKind(409, "The period has not come to its end"),
    "invoice_overlaps": ProblemKind(409, "Days of this period have been invoiced already"),
    "license_full": ProblemKind(409, "All of the license is assigned"),
    "not_nominal": ProblemKind(409, "Only nominal licenses are assigned to users"),
    "not_assignable": ProblemKind(409, "The product is not assigned to users"),
    "wrong_domain": ProblemKind(409, "The license does not cover the user's domain"),
    "body_too_large": ProblemKind(413, "The body is too large"),
    "unsupported_media_type": ProblemKind(415, "The body must be application/json"),
    "invalid": ProblemKind(422, "The request is not valid"),
    "cannot_provision": ProblemKind(422, "What was asked for cannot be provisioned: nothing was changed"),
    "invalid_license_key": ProblemKind(422, "The license key is refused"),
    "idempotency_mismatch": ProblemKind(422, "This Idempotency-Key came with something else before"),
    "no_target": ProblemKind(422, "Whom to log out is not said"),
    "too_many_attempts": ProblemKind(429, "Too many attempts have failed; wait"),
    "too_many_streams": ProblemKind(429, "There are as many open streams as there may be"),
    "internal": ProblemKind(500, "Something broke in the server"),
    "unavailable": ProblemKind(503, "The store is away"),
}
"""Code to meaning. A code is part of the API: it may be added, never changed."""

_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: where (`users[0]`; empty for the whole) and why."""

    path: str
    message: str


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a refused request (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):
    """The request is refused for the reason `code` of PROBLEMS. `detail` adds what the title does not say."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The answer: `application/problem+json` with the code's status."""
        kind = PROBLEMS[self.code]
        body = ProblemBody(
            type=f"urn:seatd:problem:{self.code}",
            title=kind.title,
            status=kind.status,
            detail=_writable(self.detail or kind.title),
            code=self.code,
            errors=tuple(
                FieldError(path=_writable(one.path), message=_writable(one.message)) for one in self.errors
            ),
        )
        return web.Response(
            status=kind.status,
            headers=self.headers,
            body=msgspec.json.encode(body),
            content_type=CONTENT_TYPE,
        )


def _writable(text: str) -> str:
    """A problem may repeat what was sent, and a header need not be UTF-8."""
    return text.encode("utf-8", "replace").decode()


def invalid(path: str, message: str) -> Problem:
    """One field of the request is wrong."""
    return Problem(
        "invalid", f"{path}: {message}" if path else message, errors=(FieldError(path=path, message=message),)
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into a problem."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except UnknownCustomer:  # it was deleted at that moment
        return Problem("unknown_customer").response()
    except StoreUnavailable as error:
        _log.warning("store away", path=request.path, reason=str(error))
        return _unavailable(request).response()
    except web.HTTPException as error:
        return _of_aiohttp(error).response()
    except ConnectionError:  # the caller has hung up: whatever is answered reaches nobody
        return Problem("unavailable").response()
    except Exception:
        _log.exception("request failed", method=request.method, path=request.path)
        return Problem("internal").response()


def _unavailable(request: web.Request) -> Problem:
    detail = "The store did not answer; try again."
    if request.method not in ("GET", "HEAD"):
        detail = "The store did not answer: whether the change was made is not known. Look, then try again."
    return Problem("unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _of_aiohttp(error: web.HTTPException) -> Problem:
    if error.status < 400:
        raise error
    allow = error.headers.get("Allow")
    code = _BY_STATUS.get(error.status, "bad_request" if error.status < 500 else "internal")
    return Problem(code, headers={"Allow": allow} if allow else None)
