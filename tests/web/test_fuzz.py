"""Every call of the REST API, fuzzed from the OpenAPI document that a whole server serves (schemathesis).

Whatever comes, the answer is one that the document names, in the shape that it promises, and never a 5xx. Half of the
requests fit the document and half do not; names of things that are there are mixed in. `SEATD_FUZZ_EXAMPLES` says how many
of either kind each call gets (4 by default).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from seatd.web.api.ops import Op
from seatd.web.api.table import OPS
from tests.servers import Server, Servers
from tests.web.fuzzing import seed, with_known_names

EXAMPLES = int(os.environ.get("SEATD_FUZZ_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
INTERNALS = re.compile(rb"Traceback|File \"|site-packages|/seatd/|\.py\b")
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A whole server. That no traceback stands in its log is looked at when it has ended."""
    with Servers() as servers:
        fuzzed = servers.start("fuzzed")
        seed(fuzzed)
        yield fuzzed


@pytest.fixture(scope="module")
def served(server: Server) -> BaseSchema:
    """The document as it is served."""
    return schemathesis.openapi.from_url(f"http://{server.admin}/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_call_answers_as_the_document_says(
    server: Server, served: BaseSchema, op: Op, mode: GenerationMode
) -> None:
    if op.method != "GET":
        seed(server)
    headers = {"Authorization": f"Bearer {server.token}"}

    @SETTINGS
    @given(_cases(served, op, mode))
    def answers_as_it_says(case: Case) -> None:
        response = case.call(headers=headers, timeout=30)
        case.validate_response(response, checks=CHECKS)
        assert not INTERNALS.search(response.content), response.content
        if op.action is not None:
            assert response.status_code != 401, "the fuzzer has locked itself out"

    answers_as_it_says()


def _cases(served: BaseSchema, op: Op, mode: GenerationMode) -> st.SearchStrategy[Case]:
    random = served[op.url][op.method].as_strategy(generation_mode=mode)

    @st.composite
    def mixed(draw: st.DrawFn) -> Case:
        case = draw(random)
        case.path_parameters = with_known_names(draw, case.path_parameters)
        case.query = with_known_names(draw, case.query)
        case.body = with_known_names(draw, case.body)
        return case

    return mixed()
