# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked has an answer of one form, and nothing of the program in it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from filterd.web.request_guard import HEADERS, csrf_of
from tests.support.unix_sockets import bind
from tests.support.web_requests import OF_FORM, SIGNED_IN, FakeManager

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/logout", 405), ("TRACE", "/", 405)],
)
def test_what_no_route_takes_has_a_page(
    manager: FakeManager, method: str, path: str, status: int
) -> None:
    reply = manager.send(method, path, headers=SIGNED_IN)
    assert reply.status == status
    assert reply.text.startswith("<!doctype html>")
    assert reply.headers.keys() >= HEADERS.keys()


def test_a_program_gets_problem_details_instead(manager: FakeManager) -> None:
    for method, path, status in (("GET", "/api/v1/nothing", 404), ("PUT", "/api/v1/names", 405)):
        reply = manager.send(method, path, headers={"authorization": "Bearer x"})
        assert reply.status == status
        assert reply.json["status"] == status


def test_an_error_of_the_program_shows_nothing_of_it(manager: FakeManager) -> None:
    manager.answers["session"] = lambda **given: given["a secret of the program"]
    with pytest.raises(KeyError):  # for the journal, after the answer
        manager.get("/")


def test_a_device_of_another_network_gets_the_schools_name_only(manager: FakeManager) -> None:
    manager.answers["admit"] = {"admitted": False, "device": ""}
    replies = [manager.get(path) for path in ("/", "/login", "/static/style.css", "/nothing")]
    assert {reply.status for reply in replies} == {403}
    assert len({reply.text for reply in replies}) == 1
    assert "Trường mẫu" in replies[0].text
    assert len(replies[0].text) < 500


@pytest.mark.parametrize("path", ["/device/abc", "/login/code/abc"])
def test_a_code_may_admit_its_device(manager: FakeManager, path: str) -> None:
    manager.answers["admit"] = lambda code="", **_: {"admitted": code == "abc", "device": ""}
    assert manager.send("GET", path).status == 200
    assert manager.send("GET", "/login").status == 403


def test_the_token_of_a_program_counts_for_its_admission(manager: FakeManager) -> None:
    manager.answers["admit"] = lambda act_for, **_: {"admitted": act_for == "api", "device": ""}
    manager.answers["names"] = []
    program = {"authorization": "Bearer api"}
    assert manager.send("GET", "/api/v1/names", headers=program).status == 200
    assert manager.send("GET", "/login", headers=program).status == 403


def test_a_body_is_small_but_where_an_operation_needs_more(manager: FakeManager) -> None:
    headers = {**OF_FORM, "content-length": "70000"}
    assert manager.send("POST", "/do/openName", b"a" * 70_000, headers).status == 413


def test_a_set_up_takes_forms_of_its_own_pages_from_its_own_network_only(
    manager: FakeManager, tmp_path: Path
) -> None:
    manager.web._first_boot._socket = tmp_path / "s"
    manager.answers |= {"admit": {"admitted": False, "device": ""}}
    manager.answers["setup-answer"] = None
    manager.answers["setup-state"] = {"step": "claim", "language": "en"}

    def status(csrf: str, address: str = "10.0.0.9") -> int:
        form = urlencode({"csrf": csrf, "key": "school", "text": "x"}).encode()
        headers = OF_FORM | {"cookie": "__Host-setup=t"}
        return manager.send("POST", "/setup/answer", form, headers, client=(address, 1)).status

    with socket.socket(socket.AF_UNIX) as listening:
        bind(listening, tmp_path / "s")
        assert status(csrf_of("t")) == 303
        refused = [status(""), status(csrf_of("another")), status(csrf_of("t"), "203.0.113.9")]
    (tmp_path / "s").unlink()
    assert [*refused, status(csrf_of("t"))] == [403, 403, 403, 403]
    assert manager.times("setup-answer") == 1
