"""Before the upgrade: who asks, from which page, in which words."""

from __future__ import annotations

import asyncio

import pytest

from tests.attacks.attack import attack
from tests.attacks.attacker import Attacker
from tests.attacks.conftest import ORIGIN
from tests.attacks.operators import Operator, counted, metrics
from tests.attacks.wire import asked, handshake, hung_up, opened, said
from tests.scenarios.company import Company
from tests.scenarios.websocket import Refusal, WebSocket, upgrade
from tests.servers import Server, Servers
from tests.web.edge import closed

JSON = ("seatd.v1.json",)


async def refused(server: Server, *headers: str, path: str = "/v1/connect") -> tuple[int, str]:
    """Status and text instead of the upgrade."""
    answer = await upgrade(server.clients, JSON, headers=headers, path=path)
    assert isinstance(answer, Refusal), "the upgrade was granted"
    return answer.status, answer.body


async def is_let_in(server: Server, *headers: str) -> bool:
    answer = await upgrade(server.clients, JSON, headers=headers)
    if isinstance(answer, WebSocket):
        answer.abort()
    return isinstance(answer, WebSocket)


FOREIGN = "https://evil.example"


@attack(
    "S01",
    "a page of another origin opens the WebSocket, with whatever cookies the browser has (CSWSH)",
    '403 before the upgrade; `seatd_refused_total{reason="origin"}`. Cookies mean nothing on this listener: who connects '
    "shows a token in `hello`",
    left="no audit entry: whoever is refused has no name, and the trail would be theirs to fill",
)
async def test_s01_an_upgrade_from_a_foreign_page(server: Server) -> None:
    before = await counted(server, 'seatd_refused_total{reason="origin"}')
    status, text = await refused(server, f"Origin: {FOREIGN}", "Cookie: seatd=" + "A" * 43)
    assert (status, FOREIGN in text) == (403, False)
    assert await counted(server, 'seatd_refused_total{reason="origin"}') == before + 1


@attack(
    "S02",
    "origins that look like the right one: `null`, a suffix, another scheme or port, upper case, a path, two of them",
    "403: compared as a whole with the list, and with host and port of the request. Without `Origin` (apps) nothing is "
    "taken for granted either: there are no cookies",
)
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        f"{ORIGIN}.evil.io",
        "http://app.example.com",
        f"{ORIGIN}:8443",
        "HTTPS://APP.EXAMPLE.COM",
        f"{ORIGIN}/",
        f"{ORIGIN} {FOREIGN}",
        f"{FOREIGN}#{ORIGIN}",
        "https://evilapp.example.com",
        "file://",
    ],
)
async def test_s02_an_origin_that_looks_right(server: Server, origin: str) -> None:
    assert (await refused(server, f"Origin: {origin}"))[0] == 403
    assert await is_let_in(server, f"Origin: {ORIGIN}")
    assert await is_let_in(server)


@attack(
    "S02",
    "two `Origin` headers, the good one first or last",
    "400",
)
@pytest.mark.parametrize("origins", [(ORIGIN, FOREIGN), (FOREIGN, ORIGIN)])
async def test_s02_two_origins(server: Server, origins: tuple[str, str]) -> None:
    assert (await refused(server, *(f"Origin: {origin}" for origin in origins)))[0] in (400, 403)


@attack(
    "S03",
    "a token in the address, where proxies and histories keep it",
    "400; neither the log nor the answer nor a metric shows it; `Referrer-Policy: no-referrer`",
)
@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_s03_a_token_in_the_address(server: Server, company: Company, name: str) -> None:
    token = company.token("ann")
    answer = await upgrade(server.clients, JSON, path=f"/v1/connect?{name}={token}")
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.headers["referrer-policy"]) == (400, "no-referrer")
    for shown in (answer.body, server.log_file.read_text(), await metrics(server)):
        assert token not in shown


@attack(
    "S04",
    "a token as a sub-protocol, the way of clients that cannot send headers",
    "400 when no sub-protocol of ours is offered; beside one it is ignored, never answered, never logged: the token belongs "
    "into `hello`, which every client can send",
)
async def test_s04_a_token_as_sub_protocol(server: Server, company: Company) -> None:
    token = company.token("ann")
    lines = handshake(server.clients, leave_out=["Sec-WebSocket-Protocol"])
    alone = await asked(server.clients, *lines, f"Sec-WebSocket-Protocol: {token}")
    assert (alone.status, token in alone.body) == (400, False)
    reader, writer = await opened(server.clients)
    writer.write("\r\n".join([*lines, f"Sec-WebSocket-Protocol: {token}, {JSON[0]}", "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.transport.abort()
    assert head.startswith("HTTP/1.1 101")
    assert f"Sec-WebSocket-Protocol: {JSON[0]}\r\n" in head
    assert token not in head
    assert token not in server.log_file.read_text()


@attack(
    "S05",
    "clients that are sent over `ws://`, where the network reads their tokens",
    "a listener without TLS that others than this machine reach says so in the log at each start, unless `clients.proxies` "
    "names what speaks TLS before it",
    left="it starts all the same: TLS is often done by something that seatd does not see, and a trial needs none",
)
@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"CLIENTS_LISTEN": "0.0.0.0:0"}, True),
        ({"CLIENTS_LISTEN": "0.0.0.0:0", "CLIENTS_PROXIES": "10.0.0.0/8"}, False),
        ({"CLIENTS_LISTEN": "127.0.0.1:0"}, False),
    ],
    ids=["open", "behind a proxy", "loopback"],
)
def test_s05_clients_without_tls(servers: Servers, settings: dict[str, str], warned: bool) -> None:
    node = servers.start("a", **settings)
    assert ("clients are not encrypted" in node.said) is warned


@attack(
    "S06",
    "`X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded` from somebody who is no proxy, to have another address at each try",
    "ignored: only addresses of `admin.proxies` and `clients.proxies` are believed; the tries are counted for the one address "
    "that they come from",
)
async def test_s06_a_forged_forwarded_for(servers: Servers) -> None:
    """Each try in another's name, from another invented address: they are the same stranger's."""
    stranger = Operator(servers.start("a"), "")
    codes = []
    for number in range(7):
        headers = {
            "X-Forwarded-For": f"198.51.100.{number}",
            "X-Forwarded-Proto": "https",
            "Forwarded": f"for=198.51.100.{number};proto=https",
        }
        body = {"name": f"nobody-{number}", "password": "a wrong password"}
        reply = await stranger.call("POST", "/sign-in", body, headers=headers)
        codes.append(reply.code)
        assert "set-cookie" not in reply.headers
    assert codes[:5] == ["sign_in_refused"] * 5
    assert codes[5:] == ["too_many_attempts"] * 2


@attack(
    "S13",
    "handshakes that are none: no key or a bad one, two keys, another version, no upgrade, HTTP/1.0, a body, another method, "
    "HTTP/2, TLS on a plain port",
    "400 (405 for a method); the answer says nothing of the software or of what was sent, the log nothing at all",
)
@pytest.mark.parametrize(
    ("lines", "leave_out", "status"),
    [
        ((), "Sec-WebSocket-Key", 400),
        (("Sec-WebSocket-Key: short",), "Sec-WebSocket-Key", 400),
        (("Sec-WebSocket-Key: ***************************=",), "Sec-WebSocket-Key", 400),
        (("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAQ==",), "-", 400),
        (("Sec-WebSocket-Version: 8",), "Sec-WebSocket-Version", 400),
        (("Sec-WebSocket-Version: 14",), "Sec-WebSocket-Version", 400),
        ((), "Sec-WebSocket-Version", 400),
        ((), "Upgrade", 400),
        (("Upgrade: h2c",), "Upgrade", 400),
        ((), "Connection", 400),
        (("Content-Length: 5",), "-", 400),
        ((), "Host", 400),
        (("Host: evil.example",), "-", 400),
    ],
)
async def test_s13_a_bad_handshake(
    server: Server, lines: tuple[str, ...], leave_out: str, status: int
) -> None:
    wanted = handshake(server.clients, *lines, leave_out=[leave_out])
    answer = await asked(server.clients, *wanted, body=b"hello" if "Content-Length: 5" in lines else b"")
    assert answer.status == status
    assert_tells_nothing(answer.headers, answer.body)


@attack("S13", "the same with another request line", "as above")
@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("POST /v1/connect HTTP/1.1", 405),
        ("CONNECT /v1/connect HTTP/1.1", 404),
        ("GET /v1/connect HTTP/1.0", 400),
        ("GET /v1/connect HTTP/2.0", 400),
        ("PRI * HTTP/2.0", 400),
        ("GET /v1/connect/../connect HTTP/1.1", 404),
        ("get /v1/connect HTTP/1.1", 400),
    ],
)
async def test_s13_another_request_line(server: Server, first: str, status: int) -> None:
    lines = [first, *handshake(server.clients, "Connection: close, Upgrade", leave_out=["GET", "Connection"])]
    answer = await asked(server.clients, *lines)
    assert answer.status == status
    assert_tells_nothing(answer.headers, answer.body)


@attack(
    "S13", "bytes that are no HTTP: a TLS greeting, an HTTP/2 preface, noise", "400 or a closed connection"
)
@pytest.mark.parametrize(
    "data",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes.fromhex("16030100c8010000c40303") + b"\0" * 200,
        b"\x00\x01\x02\xff" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
    ],
    ids=["HTTP/2", "TLS", "noise", "half a line"],
)
async def test_s13_no_http(server: Server, data: bytes) -> None:
    said_before = len(server.said)
    heard = await said(server.clients, data)
    assert heard == b"" or heard.startswith(b"HTTP/1.")
    assert b"aiohttp" not in heard
    assert 'level": "error' not in server.said[said_before:]


@attack(
    "S14",
    "compression: offered in the handshake, and used although it was not agreed on",
    "the offer is not answered; a frame with RSV1 closes with 1002",
)
async def test_s14_compression(server: Server, attacker: Attacker) -> None:
    reader, writer = await opened(server.clients)
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    writer.write("\r\n".join([*handshake(server.clients, offer), "", ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    assert b"extensions" not in head.lower()
    writer.transport.abort()
    socket = await attacker.upgraded(JSON[0])
    await socket.send(0x1, b"\xaa\x56\x4a\x2a\x4b", reserved=0b100)
    assert (await closed(socket))[0] == 1002


# -- slow and silent ------------------------------------------------------------------------------


async def is_hung_up_on(address: str, first: bytes, every: bytes = b"") -> bytes:
    """Says `first`, then a byte now and then, until the other side hangs up; what it has said. pytest's limit is the bound."""
    reader, writer = await opened(address)
    writer.write(first)
    end = asyncio.create_task(hung_up(reader))
    while every and not end.done():
        writer.write(every)
        await asyncio.wait([end], timeout=0.1)
    heard = await end
    writer.transport.abort()
    return heard


@attack(
    "S07",
    "a connection that says nothing, on either listener",
    "closed after 5 s",
)
async def test_s07_a_silent_connection(server: Server) -> None:
    both = (server.clients, server.admin)
    assert await asyncio.gather(*(is_hung_up_on(address, b"") for address in both)) == [b"", b""]


@attack(
    "S08",
    "slowloris: a request that comes byte by byte and never ends, its head or its body",
    "a head is waited for 5 s; a body of a refused request 2 s; of an API call 5 s and as long as it takes at 50 kB/s "
    "(408 `too_slow`)",
)
async def test_s08_slowloris(server: Server) -> None:
    head = b"GET /v1/connect HTTP/1.1\r\nX: "
    body = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    unwanted, sign_in, head_of_client, head_of_admin = await asyncio.gather(
        is_hung_up_on(server.clients, body % b"/v1/connect", b"a"),
        is_hung_up_on(server.admin, body % b"/api/v1/sign-in", b" "),
        is_hung_up_on(server.clients, head, b"a"),
        is_hung_up_on(server.admin, head, b"a"),
    )
    assert (head_of_client, head_of_admin) == (b"", b"")
    assert unwanted.startswith(b"HTTP/1.1 405")
    assert sign_in.startswith(b"HTTP/1.1 408")
    assert b"too_slow" in sign_in


@attack(
    "S09",
    "a request line or a header above 8,190 bytes, 129 headers",
    '400, the connection is closed; `seatd_refused_total{reason="malformed"}`',
)
@pytest.mark.parametrize(
    "lines",
    [
        ["GET /" + "x" * 8200 + " HTTP/1.1", "Host: x"],
        ["GET / HTTP/1.1", "Host: x", "X: " + "y" * 8200],
        ["GET / HTTP/1.1", "Host: x", "X" * 8200 + ": y"],
        ["GET / HTTP/1.1", "Host: x", *(f"X-{number}: y" for number in range(129))],
    ],
    ids=["line", "value", "name", "129 headers"],
)
@pytest.mark.parametrize("listener", ["clients", "admin"])
async def test_s09_oversize_headers(server: Server, lines: list[str], listener: str) -> None:
    before = await counted(server, 'seatd_refused_total{reason="malformed"}')
    answer = await asked(getattr(server, listener), *lines)
    assert answer.status == 400
    assert_tells_nothing(answer.headers, answer.body)
    assert await counted(server, 'seatd_refused_total{reason="malformed"}') == before + 1


SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@attack(
    "S10",
    "request smuggling: two lengths, length and chunks, bad chunks, odd white space, a request behind a refused upgrade",
    "400 and the connection is closed: what follows is never read as a request. aiohttp below 3.14.4 is not installed beside "
    "seatd",
)
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (["Content-Length: 5", "Content-Length: 6"], b"hello"),
        (["Content-Length: +5"], b"hello"),
        (["Content-Length: 5, 5"], b"hello"),
        (["Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], b"zz\r\nhello\r\n0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], b"5\nhello\n0\n\n"),
        (["Transfer-Encoding : chunked"], b"0\r\n\r\n"),
        (["X: a\0b"], b""),
        (["X: a", " Content-Length: 5"], b"hello"),
    ],
)
async def test_s10_request_smuggling(server: Server, headers: list[str], body: bytes) -> None:
    for address in (server.clients, server.admin):
        lines = ["POST /api/v1/sign-in HTTP/1.1", "Host: x", *headers]
        heard = await said(address, "\r\n".join([*lines, "", ""]).encode() + body + SMUGGLED)
        assert heard.count(b"HTTP/1.") == 1
        assert heard.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))


@attack("S10", "a second request behind an upgrade that is refused", "the connection ends with the refusal")
async def test_s10_a_request_behind_an_upgrade(server: Server) -> None:
    lines = handshake(server.clients, leave_out=["Sec-WebSocket-Key"])
    heard = await said(server.clients, "\r\n".join([*lines, "", ""]).encode() + SMUGGLED)
    assert heard.startswith(b"HTTP/1.1 400")
    assert heard.count(b"HTTP/1.") == 1


def assert_tells_nothing(headers: dict[str, str], body: str) -> None:
    """An answer names no software but ours, and repeats nothing of the request."""
    assert headers["server"] == "seatd"
    assert len(body) < 120
    assert not any(word in body for word in ("aiohttp", "Python", "xxxx", "yyyy", "evil", "Traceback"))
