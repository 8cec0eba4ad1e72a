"""The administrators' side: forged calls, guessed passwords, stolen sessions, rights that somebody does not have."""

from __future__ import annotations

import io
import itertools

import pytest

from seatd_protocol.messages import Logout
from tests.attacks.attack import attack
from tests.attacks.browser import PASSWORD, Browser
from tests.attacks.operators import Operator
from tests.attacks.wire import answer_of, asked, said
from tests.scenarios.company import Company
from tests.servers import Server, Servers

_numbers = itertools.count(1)
EVIL = "https://evil.example"


async def administrator(operator: Operator, role: str = "operator", **where: object) -> str:
    """A new administrator with PASSWORD; the name."""
    name = f"admin-{next(_numbers)}@ops.example"
    body = {"name": name, "grants": [{"role": role, **where}], "password": PASSWORD}
    assert (await operator.call("POST", "/administrators", body)).status == 200
    return name


@pytest.fixture
async def browser(server: Server, operator: Operator) -> Browser:
    """An operator who has signed in."""
    own = Browser(server)
    assert (await own.sign_in(await administrator(operator))).status == 200
    return own


FORGED = [
    {},
    {"X-Seatd-CSRF": "guessed"},
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
]


@attack(
    "S52",
    "another page makes the browser of a signed-in administrator force users out or lower a limit (CSRF)",
    "403 `cross_site`: a call by cookie needs a header with what only our page was told, and `Origin` and `Sec-Fetch-Site` "
    "must not say otherwise. The cookie is `SameSite=Strict`, `HttpOnly`, and `__Host-` over TLS. GET changes nothing",
)
@pytest.mark.parametrize("headers", FORGED, ids=str)
async def test_s52_forged_calls(
    browser: Browser, company: Company, server: Server, headers: dict[str, str]
) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER")
    body = {"users": [company.user("ann")]}
    assert (await browser.by_attacker("POST", "/logout", body, headers=headers)).refusal == (
        403,
        "cross_site",
    )
    lines = {"license": await browser.by_attacker("DELETE", f"/licenses/{company.name}-1-1", headers=headers)}
    assert lines["license"].refusal == (403, "cross_site")
    assert ann.heard_nothing()


@attack(
    "S52",
    "the same by a form, whose content types need no preflight",
    "403 `cross_site`; without a cookie 401 or 415",
)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_s52_forms(browser: Browser, server: Server, kind: str) -> None:
    body = '{"users":["ann@a.example"]}'
    headers = {"Content-Type": kind, "Origin": EVIL}
    assert (await browser.by_attacker("POST", "/logout", data=body, headers=headers)).refusal == (
        403,
        "cross_site",
    )
    by_token = Operator(server)
    assert (
        await by_token.call("POST", "/logout", data=body, headers={"Content-Type": kind})
    ).code == "unsupported_media_type"


async def test_what_the_cookie_is(server: Server, operator: Operator) -> None:
    cookie = (await Browser(server).sign_in(await administrator(operator))).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Domain" not in cookie


@attack(
    "S52",
    "a foreign page signs its victim in as somebody else (login CSRF)",
    "403 `cross_site`",
)
async def test_s52_signing_a_victim_in(server: Server, operator: Operator) -> None:
    name = await administrator(operator)
    for headers in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await Browser(server).sign_in(name, **headers)).refusal == (403, "cross_site")


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "</script><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)",
]


@attack(
    "S53",
    "script in the name of a device, in a reason, in a customer's name, in an agent's version (stored XSS)",
    "kept as text and answered as JSON only, with `nosniff` and a policy that runs nothing (`default-src 'none'`); an "
    "export puts a quote before what a spreadsheet would calculate",
    left="what other programs do with these texts is theirs",
)
@pytest.mark.parametrize("payload", PAYLOADS)
async def test_s53_stored_script(server: Server, company: Company, operator: Operator, payload: str) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER", device=payload, acks=True)
    await operator.call("PATCH", f"/customers/{company.name}", {"name": payload[:60]})
    reply = await operator.call("GET", f"/sessions?customer={company.name}")
    assert reply.json["items"][0]["device"]["id"] == payload
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    done = await operator.call(
        "POST", "/logout", {"users": [company.user("ann")], "reason": payload, "cooldown_s": 0}
    )
    assert done.status == 200
    assert (await ann.until(Logout)).message == payload
    audit = await operator.call("GET", f"/audit?customer={company.name}")
    assert audit.headers["content-type"].startswith("application/json")


@attack("S53", "a formula in what is exported as CSV", "written as text: a quote stands before it")
async def test_s53_formulas(operator: Operator, company: Company) -> None:
    await operator.call("PATCH", f"/customers/{company.name}", {"name": "=cmd|'/c calc'!A1"})
    headers = {"Accept": "text/csv"}
    page = await operator.call("GET", f"/licenses?customer={company.name}&format=csv", headers=headers)
    cells = [cell.strip('"') for line in page.text.splitlines() for cell in line.split(",")]
    assert not any(cell.startswith(("=", "@", "+cmd")) for cell in cells)


@attack(
    "S54",
    "a foreign page reads the live view of a signed-in administrator",
    "there is no WebSocket for administrators. The stream is GET, and no answer carries a CORS header, so a browser shows "
    "it to our pages only; the cookie is `SameSite=Strict`",
)
async def test_s54_streams_of_foreign_pages(browser: Browser, company: Company) -> None:
    path = f"/stream?customer={company.name}&seconds=0"
    reply = await browser.by_attacker("GET", path, headers={"Origin": EVIL})
    assert not any(name.startswith("access-control-") for name in reply.headers)
    preflight = await browser.by_attacker(
        "OPTIONS", path, headers={"Origin": EVIL, "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status in (404, 405)
    assert not any(name.startswith("access-control-") for name in preflight.headers)


@attack(
    "S55",
    "framing (clickjacking), MIME sniffing, answers that a browser or proxy keeps",
    "`frame-ancestors 'none'` and `X-Frame-Options: DENY`, `nosniff`, `no-store` on every answer, refusals and errors "
    "included",
)
@pytest.mark.parametrize(
    "path", ["/", "/api/v1/licenses", "/api/v1/nothing", "/metrics", "/livez", "/openapi.json"]
)
async def test_s55_headers(server: Server, path: str) -> None:
    for address in (server.admin, server.clients):
        answer = await asked(address, f"GET {path} HTTP/1.1", "Host: x", "Connection: close")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] == "seatd"


@attack(
    "S60",
    "an auditor forces users out; an owner makes himself operator; an admin raises a limit above what was bought",
    "403 `forbidden`, or 404 for what is not theirs; a limit comes from a signed key only, no call changes it; nobody "
    "gives more than he has",
)
async def test_s60_more_than_ones_rights(operator: Operator, company: Company, server: Server) -> None:
    ann = await company.sign_in(server, "ann", "CALL_CENTER")
    mine = {"customers": [company.name]}
    auditor = await operator.token_of("auditor", **mine)
    assert (await auditor.call("POST", "/logout", {"users": [company.user("ann")]})).refusal == (
        403,
        "forbidden",
    )
    assert ann.heard_nothing()
    owner = await operator.token_of("owner", **mine)
    wide = {"name": "x", "grant": {"role": "operator"}, "days": 1}
    assert (await owner.call("POST", "/tokens", wide)).status in (403, 422)
    other = {"name": "x", "grant": {"role": "owner", "customers": ["elsewhere"]}, "days": 1}
    assert (await owner.call("POST", "/tokens", other)).status in (403, 404, 422)
    (row,) = await company.rows()
    for method in ("PATCH", "PUT", "POST"):
        reply = await owner.call(method, f"/licenses/{row['id']}", {"limit": 1000})
        assert reply.status in (404, 405)
    assert (await company.rows())[0]["limit"] == 5


TRAVERSALS = [
    "/api/v1/licenses/..%2f..%2f..%2fetc%2fpasswd",
    "/api/v1/../../etc/passwd",
    "/api/v1/customers/%2e%2e%2f%2e%2e",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/api/v1/licenses/%00",
    "//etc/passwd",
    "/static/../seatd.json",
]


@attack(
    "S61",
    "path traversal, another method in a header, fields that nobody may set, pages of a billion rows, SQL and shell in "
    "parameters",
    "404, 405, or 422 with the field; never a 5xx. (`tests/web/test_fuzz.py` makes requests from the OpenAPI document "
    "besides)",
)
@pytest.mark.parametrize("path", TRAVERSALS)
async def test_s61_path_traversal(server: Server, path: str) -> None:
    head = f"Authorization: Bearer {server.token}"
    answer = await asked(server.admin, f"GET {path} HTTP/1.1", "Host: x", head, "Connection: close")
    assert answer.status in (400, 404, 422)
    assert "root:" not in answer.body


@attack("S61", "`X-HTTP-Method-Override`, `_method`", "ignored: a GET stays one")
async def test_s61_method_override(operator: Operator, company: Company) -> None:
    (row,) = await company.rows()
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        reply = await operator.call("GET", f"/licenses/{row['id']}", headers={name: "DELETE"})
        assert reply.status == 200
    assert (await operator.call("GET", f"/licenses/{row['id']}?_method=DELETE")).status == 422
    assert len(await company.rows()) == 1


@attack(
    "S61",
    "fields that a caller may not set (mass assignment), odd sizes of pages",
    "422 `invalid`, with the field",
)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tokens", {"name": "x", "grant": {"role": "auditor"}, "days": 1, "id": "mine"}),
        ("POST", "/tokens", {"name": "x", "grant": {"role": "auditor", "is_operator": True}, "days": 1}),
        ("POST", "/administrators", {"name": "x@y.example", "grants": [], "generation": 7}),
        ("GET", "/licenses?size=1000000000", None),
        ("GET", "/licenses?page=-1", None),
        ("GET", "/licenses?page=99999999999999999999", None),
        ("GET", "/licenses?sort=;DROP TABLE", None),
        ("GET", "/sessions?admin=true", None),
    ],
)
async def test_s61_fields_that_nobody_may_set(
    operator: Operator, method: str, path: str, body: object
) -> None:
    assert (await operator.call(method, path, body)).refusal == (422, "invalid")


@attack(
    "S61", "JSON bombs and bodies that are no JSON", "400 `bad_json`, 413 `body_too_large`, 415, 422; no 5xx"
)
@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"[" * 100_000, "application/json", 422),
        (b'{"a":' * 50_000, "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
        (b"{}" + b" " * 2_200_000, "application/json", 413),
        (b'{"users":' + b"9" * 5000 + b"}", "application/json", 422),
        (b"<x/>", "application/xml", 415),
        (b"", "application/json", 400),
    ],
)
async def test_s61_odd_bodies(operator: Operator, data: bytes, kind: str, status: int) -> None:
    reply = await operator.call("POST", "/logout", data=io.BytesIO(data), headers={"Content-Type": kind})
    assert reply.status == status


@attack(
    "S62",
    "a default password, a debug mode, pages that tell internals",
    "there are none: a new server has no administrator, only an API token of 256 bits in a file that its owner alone reads; "
    "`/openapi.json`, `/metrics`, `/livez` and `/readyz` need no token and name no user, session or secret",
    left="`/metrics` names customers and products: the admin listener is for the operator's network only, `127.0.0.1` by "
    "default",
)
async def test_s62_defaults(servers: Servers) -> None:
    node = servers.start("fresh")
    stranger = Operator(node, "")
    assert ((node.folder / "admin.token").stat().st_mode & 0o777, len(node.token)) == (0o600, 43)
    for name in ("admin", "root", "operator", "seatd"):
        for password in ("admin", "password", "seatd", ""):
            assert (await stranger.call("POST", "/sign-in", {"name": name, "password": password})).status in (
                401,
                422,
                429,
            )
    for path in ("/licenses", "/sessions", "/administrators", "/audit", "/checks", "/tokens"):
        assert (await stranger.call("GET", path)).refusal == (401, "unauthenticated")
    for path in (
        "/debug",
        "/console.old",
        "/graphql",
        "/docs",
        "/admin",
        "/.env",
        "/.git/config",
        "/server-status",
    ):
        assert (await asked(node.admin, f"GET {path} HTTP/1.1", "Host: x", "Connection: close")).status == 404
    trace = answer_of(
        await said(node.admin, b"TRACE / HTTP/1.1\r\nHost: x\r\nX-Secret: 1\r\nConnection: close\r\n\r\n")
    )
    assert (trace.status, "X-Secret" in trace.body) == (405, False)
