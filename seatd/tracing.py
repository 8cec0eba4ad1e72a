"""Spans for OpenTelemetry: what a client said, REST calls and store scripts, each with how long it took.

Only where the extra `otel` is installed and OTEL_EXPORTER_OTLP_ENDPOINT names a collector; else a span costs a look at None.
A span never carries a user, a session or a token: what may stand in the label of a metric may stand here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import structlog

from seatd import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

log = structlog.get_logger(__name__)

WANTED = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of OpenTelemetry's own, as are all others: OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, ..."""

_NOTHING: AbstractContextManager[Any] = nullcontext()
_tracer: Tracer | None = None


def begin(node: str, environ: Mapping[str, str] = os.environ) -> Callable[[], None] | None:
    """Sends spans from now on, where that is asked for. What is answered sends the last ones and ends it; it blocks."""
    if not any(environ.get(name) for name in WANTED):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("nothing is traced: the extra is missing (pip install 'seatd-server[otel]')")
        return None
    who = {"service.name": "seatd", "service.instance.id": node, "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(who), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _use(provider.get_tracer("seatd", __version__))

    def end() -> None:
        _use(None)
        provider.shutdown()

    return end


def span(
    name: str, headers: Mapping[str, str] | None = None, **attributes: str
) -> AbstractContextManager[Any]:
    """While inside, what happens belongs to this span; it is None where nothing is traced. `headers` of a request may say
    to which trace of the caller's it belongs."""
    if _tracer is None:
        return _NOTHING
    begun: AbstractContextManager[Any] = _tracer.start_as_current_span(
        name,
        context=_callers(headers),
        attributes=attributes,
        record_exception=False,  # its text may hold what somebody sent
        set_status_on_exception=False,
    )
    return begun


def spent(name: str, taken_s: float) -> None:
    """A span that ends now."""
    if _tracer is not None:
        now_ns = time.time_ns()
        _tracer.start_span(name, start_time=now_ns - int(taken_s * 1e9)).end(now_ns)


def ids() -> dict[str, str]:
    """The trace and the span that this happens in, as they are written; empty where there is none."""
    if _tracer is None:
        return {}
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _callers(headers: Mapping[str, str] | None) -> Any:
    if headers is None:
        return None
    from opentelemetry.propagate import extract

    return extract({name.lower(): value for name, value in headers.items()})


def _use(tracer: Tracer | None) -> None:
    global _tracer
    _tracer = tracer
