# SPDX-License-Identifier: Apache-2.0
"""The description is OpenAPI 3.1, and has what operations have."""

from __future__ import annotations

import json

from openapi_spec_validator import validate

from filterd.reports.report_formats import FORMATS
from filterd.web import openapi, operations

FOUND = openapi.description(operations.ORDER)


def test_it_is_valid() -> None:
    validate(FOUND)


def test_every_operation_is_in_it_with_roles_and_refusals() -> None:
    described = {
        one["operationId"]: one for methods in FOUND["paths"].values() for one in methods.values()
    }
    assert described.keys() == operations.BY_NAME.keys()
    for name, one in described.items():
        assert set(one["x-roles"]) == operations.BY_NAME[name].roles
        assert {"200", "400", "401", "403", "422", "503", "default"} <= one["responses"].keys()
        assert all(parameter["in"] in ("path", "query") for parameter in one["parameters"])


def test_a_change_by_cookie_needs_the_token_of_forms() -> None:
    allow = FOUND["paths"]["/exceptions/allow"]["post"]
    assert {"session": [], "form": []} in allow["security"]
    assert set(allow["requestBody"]["content"]["application/json"]["schema"]["required"]) == {
        "targets",
        "reason",
    }


def test_events_are_text_event_stream() -> None:
    assert FOUND["paths"]["/log/live"]["get"]["responses"]["200"]["content"].keys() == {
        "text/event-stream"
    }


def test_it_is_not_too_long_for_a_small_board() -> None:
    assert len(json.dumps(FOUND)) < 250_000


def test_a_file_has_the_media_types_of_its_formats() -> None:
    answer = FOUND["paths"]["/reports"]["post"]["responses"]["200"]
    assert answer["content"].keys() == {one.media_type for one in FORMATS.values()}
