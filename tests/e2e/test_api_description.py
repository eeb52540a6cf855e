# SPDX-License-Identifier: Apache-2.0
"""The API does what its description promises, and is used from the description alone."""

from __future__ import annotations

import json
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from filterd.operations.lists import DECISIONS
from filterd.web import openapi, operations
from tests.support import needs
from tests.support.fake_daemon import ROOM
from tests.support.signed_in import CLASSES
from tests.support.web_school import web_school

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.base.state_folder import StateFolder
    from tests.support.web_school import Reply, WebSchool

pytestmark = pytest.mark.usefixtures("warm_children")

EXAMPLES, EXAMPLES_OF_SLOW_ONES = 12, 2
SLOW = {"reload", "testExpectations", "readSources", "makeReport", "makeInspection", "tryPolicy"}
"""Beside the decisions on lists and the edits of the site, which start a process each."""

ANSWERED_WITHIN_S = 120
"""Longer than the manager waits for such a process; 10 s, the usual, is too short under load."""


class Client:
    """A program that knows the description and a token, and nothing else."""

    def __init__(self, school: WebSchool, token: str) -> None:
        self._school = school
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        reply = school.send("GET", "/api/v1/openapi.json", None, self._headers)
        assert reply.status == 200, reply
        self.description = reply.json
        self._base = self.description["servers"][0]["url"]
        self._found = {
            one["operationId"]: (method, path, one)
            for path, methods in self.description["paths"].items()
            for method, one in methods.items()
        }

    def do(self, name: str, /, **values: Any) -> Reply:
        """Do an operation with values."""
        method, path, one = self._found[name]
        places = {parameter["name"]: parameter["in"] for parameter in one["parameters"]}
        query = {key: value for key, value in values.items() if places.get(key) == "query"}
        body = {key: value for key, value in values.items() if key not in places}
        for key, place in places.items():
            if place == "path":
                path = path.replace(f"{{{key}}}", quote(str(values[key]), safe=""))
        address = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = json.dumps(body) if "requestBody" in one else None
        headers = self._headers if sent else {"Authorization": self._headers["Authorization"]}
        return self._school.send(method.upper(), address, sent, headers)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    networks, lessons = ROOM.split("lessons:")
    more = f"{networks}{CLASSES}lessons:{lessons}"
    with web_school(tmp_path_factory.mktemp("api"), built, more) as process:
        yield process


@pytest.fixture(scope="module")
def a_token(school: WebSchool) -> Callable[[str, str], str]:
    """Make API tokens of an account with a role."""
    made: dict[tuple[str, str], str] = {}

    def make(role: str, scope: str) -> str:
        if (role, scope) not in made:
            account = f"may-{role}"
            if not any(key == role for key, _ in made):
                school.ask("account add", account=account, roles=["reader", role])
            made[role, scope] = school.ask(
                "account token-add", name=scope, account=account, role=role, scope=scope, days=1
            )["token"]
        return made[role, scope]

    return make


def test_a_program_signs_in_searches_allows_a_name_and_revokes_it(
    school: WebSchool, a_token: Callable[[str, str], str]
) -> None:
    client, until = Client(school, a_token("admin", "all")), "2031-01-01T17:30:00+07:00"
    seen = client.do("searchLog", name="*.Tiếngviệt.vn", limit=5)
    assert seen.status == 200, seen
    assert seen.json["next"] is None
    done = client.do(
        "allow",
        targets=["www.tiktok.com"],
        for_whom="grade:7",
        ends_at=until,
        reason="bài học về mạng xã hội",
    )
    assert done.status == 200, done
    number = done.json["number"]
    assert done.json["row"]["author"] == "api:may-admin"
    assert done.json["until"] == datetime.fromisoformat(until).timestamp()
    there = client.do("readExceptions").json
    assert [one["target"] for one in there if one["id"] == number] == ["www.tiktok.com"]
    assert client.do("checkName", name="www.tiktok.com", grade="7").json["action"] != "nxdomain"
    assert client.do("revoke", id=number).status == 200
    assert all(one["id"] != number for one in client.do("readExceptions").json)


def test_a_long_list_is_read_in_pages(
    school: WebSchool, a_token: Callable[[str, str], str]
) -> None:
    needs.command("ip")  # devices are what it lists
    client = Client(school, a_token("admin", "all"))
    for number in range(3):
        assert (
            client.do("nameDevice", device="02:00:5e:00:00:01", name=f"máy {number}").status == 200
        )
    first = client.do("readHistory", limit=2).json
    second = client.do("readHistory", limit=2, cursor=first["next"]).json
    numbers = [row["number"] for page in (first, second) for row in page["rows"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers) == 4


def test_an_error_is_a_problem_with_a_stable_code_and_a_hint(
    school: WebSchool, a_token: Callable[[str, str], str]
) -> None:
    client = Client(school, a_token("admin", "all"))
    wrong = client.do("allow", targets=["edu.vn"], for_s=60, reason="thử")
    assert (wrong.status, wrong.headers["content-type"]) == (422, "application/problem+json")
    assert wrong.json["code"] == "config"
    assert wrong.json["type"] == "urn:filterd:error:config"
    (one,) = wrong.json["errors"]
    assert "*.edu.vn" in one["hint"]


def test_events_have_the_form_that_is_described(
    school: WebSchool, a_token: Callable[[str, str], str]
) -> None:
    described = openapi.description([operations.BY_NAME["followLog"]])["paths"]["/log/live"]["get"]
    form = Draft202012Validator(described["responses"]["200"]["x-data"])
    headers = {"Authorization": f"Bearer {a_token('teacher', 'all')}"}
    address = f"{school.origin}/api/v1/log/live"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = requests.get(address, headers=headers, verify=False, stream=True, timeout=30)
    with stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = (line.decode() for line in stream.iter_lines())
        data = next(line.removeprefix("data: ") for line in lines if line.startswith("data: "))
    first = json.loads(data)
    form.validate(first)
    assert first[0]["shows_rows"] is False


@pytest.mark.parametrize("role", ["reader", "teacher"])
def test_what_is_refused_changes_nothing(
    school: WebSchool, a_token: Callable[[str, str], str], role: str
) -> None:
    client, before = Client(school, a_token(role, "all")), school.ask("history", limit=1)
    refused = client.do("setGrade", grade="6", target="category:games", opens=True)
    assert (refused.status, refused.json["code"]) == (403, "control")
    assert school.ask("history", limit=1) == before


@pytest.mark.long
@pytest.mark.parametrize(
    # A stream does not end; see test_event_responses.
    "name",
    [name for name, one in operations.BY_NAME.items() if not one.is_stream],
)
def test_generated_requests_get_what_the_description_promises(
    school: WebSchool, a_token: Callable[[str, str], str], name: str
) -> None:
    operation = operations.BY_NAME[name]
    token = a_token("admin", "all")
    with requests.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session.headers["Authorization"] = f"Bearer {token}"
        schema = schemathesis.openapi.from_dict(openapi.description([operation]))
        described = schema[operation.path][operation.method]
        is_decision = not set(operation.commands).isdisjoint(DECISIONS)
        is_slow = name in SLOW or operation.tag == "site" or is_decision

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES_OF_SLOW_ONES if is_slow else EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=described.as_strategy(mode))
            def holds(case: Any) -> None:
                response = case.call(
                    base_url=f"{school.origin}/api/v1",
                    session=session,
                    verify=False,
                    timeout=ANSWERED_WITHIN_S,
                )
                assert response.status_code < 500 or response.status_code == 503, response.text
                case.validate_response(
                    response,
                    checks=[
                        status_code_conformance,
                        content_type_conformance,
                        response_schema_conformance,
                    ],
                )

            if mode is GenerationMode.POSITIVE or operation.fields.named:
                holds()
