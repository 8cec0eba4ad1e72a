"""Spans reach a real collector's door (OTLP over HTTP), carry nothing secret, and hang together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from seatd import tracing
from seatd_protocol.messages import Welcome
from tests.scenarios.company import Company
from tests.servers import Servers

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """Takes what a collector is sent, and keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def spans(self) -> list[Any]:
        """All that came."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for of_resource in request.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that runs."""
    pytest.importorskip("opentelemetry.sdk", reason="no opentelemetry-sdk: install the extra `otel`")
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


async def test_a_day_in_spans(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    with Servers() as servers:
        node = servers.start("a")
        company = Company(node)
        await company.licensed("CALL_CENTER:competitive:2")
        ann = await company.sign_in(node, "ann", "CALL_CENTER")
        assert isinstance(ann.first, Welcome)
        headers = {"Authorization": f"Bearer {node.token}", "traceparent": PARENT}
        url = f"http://{node.admin}/api/v1/sessions/{ann.welcome.session}"
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as page:
            assert page.status == 200
        assert await ann.bye() == 1000
        company.leave()
        token, session = node.token, ann.welcome.session
        assert node.stop() == 0  # the last spans are sent
    spans = {span.name: span for span in collector.spans()}
    hello, opened = spans["client hello"], spans["store open"]
    assert (opened.trace_id, opened.parent_span_id) == (hello.trace_id, hello.span_id)
    asked = spans["GET /api/v1/sessions/{session}"]
    assert asked.trace_id.hex() == PARENT.split("-")[1]
    assert {item.key: str(item.value) for item in asked.attributes}[
        "http.response.status_code"
    ].strip() == "int_value: 200"
    assert {"client bye", "POST /api/v1/licenses"} <= spans.keys()
    assert not {"client alive", "GET /readyz"} & spans.keys()
    for secret in (token, session, ann.welcome.secret, company.user("ann"), "eyJ"):
        assert not [body for body in collector.bodies if secret.encode() in body]


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    assert tracing.begin("a", {}) is None
    with tracing.span("nothing", {"traceparent": PARENT}, a="b") as here:
        assert here is None
        assert tracing.ids() == {}
    tracing.spent("nothing", 1.0)


def test_it_is_said_when_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setitem(
        __import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None
    )
    with capture_logs() as events:
        assert tracing.begin("a", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}) is None
    assert "otel" in events[0]["event"]


def test_lines_of_the_log_say_where_they_belong(collector: Collector) -> None:
    from opentelemetry.sdk.trace import TracerProvider

    tracing._use(TracerProvider(shutdown_on_exit=False).get_tracer("test"))
    try:
        with tracing.span("outer") as here:
            context = here.get_span_context()
            assert tracing.ids() == {
                "trace_id": f"{context.trace_id:032x}",
                "span_id": f"{context.span_id:016x}",
            }
        assert tracing.ids() == {}
    finally:
        tracing._use(None)
