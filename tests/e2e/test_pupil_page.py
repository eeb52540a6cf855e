# SPDX-License-Identifier: Apache-2.0
"""A pupil's way, by real DNS and real HTTP: from a closed name to a decision and back.

The tier answers closed names with a sinkhole, which leads to the page.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import dns.message
import dns.rdatatype
import pytest

from filterd.overrides.rights.roles import Role
from tests.support.browser import DESKTOP, PHONE, tab
from tests.support.commands import ROOT, environment
from tests.support.daemon import SOURCES, WITHIN_S, asked, free_port
from tests.support.waiting import until
from tests.support.web_school import web_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.usefixtures("warm_children")

CLOSED, ENTRY = "www.tiktok.com", "tiktok.com"
BULLYING = "nguyen-van-a-xau-xi.tiktok.com"
SINK = "127.0.99.1"
SINKHOLE = f"""\
grades:
  6: {{block_response: sinkhole, sinkhole: {{ipv4: {SINK}, ipv6: "::1"}}}}
"""


class Reply(NamedTuple):
    """A page, as a browser gets it."""

    status: int
    text: str


class PupilSchool(NamedTuple):
    """A school with its daemon, its dashboard and the page of pupils."""

    web: WebSchool
    dns_port: int
    port: int

    def ask(self, name: str, rtype: str, grade: str = "6") -> dns.message.Message:
        """Ask the DNS as a device of a grade."""
        query = dns.message.make_query(name, rtype)
        return dns.message.from_wire(asked(self.dns_port, query.to_wire(), SOURCES[grade]))

    def get(self, path: str, host: str = "", grade: str = "6", body: str | None = None) -> Reply:
        """Get a page as a device of a grade."""
        connection = http.client.HTTPConnection(
            SINK, self.port, timeout=WITHIN_S, source_address=(SOURCES[grade], 0)
        )
        headers = {"Host": host or f"{SINK}:{self.port}", "Accept-Language": "en"}
        with contextlib.closing(connection):
            connection.request("GET" if body is None else "POST", path, body, headers)
            reply = connection.getresponse()
            return Reply(reply.status, reply.read().decode())

    def ask_review(self, why: str = "lesson", grade: str = "6", name: str = CLOSED) -> Reply:
        """Send the form of the page of a closed name."""
        page = self.get("/", name, grade).text
        found = re.search(r'name="token" value="(\w+)"', page)
        assert found is not None, page
        body = urlencode({"name": name, "token": found[1], "why": why, "lang": "en"})
        return self.get("/ask", name, grade, body)

    def requests(self, grade: str) -> list[str]:
        """Return the ids of what devices of a grade have asked for and is not decided."""
        rows = self.web.ask("requests list")
        return [str(row["id"]) for row in rows if row["seat"] == grade]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PupilSchool]:
    with web_school(tmp_path_factory.mktemp("pupils"), more=SINKHOLE) as web:
        port = free_port()
        command = [sys.executable, "-m", "filterd", "blockpage", *web.served.options]
        command += ["--listen", f"{SINK}:{port}"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), text=True)
        found = PupilSchool(web, web.ask("status")["listen"][0]["port"], port)
        try:
            until(lambda: _answers(found), "the page of pupils")
            yield found
        finally:
            process.terminate()
            process.wait(WITHIN_S)


def _answers(school: PupilSchool) -> bool:
    with contextlib.suppress(OSError):
        return school.get("/").status == 200
    return False


def test_a_closed_name_leads_to_its_page_by_addresses_only(school: PupilSchool) -> None:
    (answer,) = school.ask(CLOSED, "A").answer
    assert [one.address for one in answer] == [SINK]
    (answer,) = school.ask(CLOSED, "AAAA").answer
    assert [one.address for one in answer] == ["::1"]
    for rtype in ("HTTPS", "SVCB", "TXT", "MX"):
        reply = school.ask(CLOSED, rtype)
        assert (reply.rcode(), reply.answer) == (0, [])
    page = school.get("/anything", CLOSED)
    assert page.status == 200
    assert f"<h1>{CLOSED} is not open to grade 6 yet</h1>" in page.text
    assert "Social media, which opens from the age of 16 on" in page.text


def test_a_check_for_a_captive_portal_is_neither_led_here_nor_answered(
    school: PupilSchool,
) -> None:
    assert school.ask("captive.apple.com", "A").answer == []  # the upstream has no listener
    assert school.get("/hotspot-detect.html", "captive.apple.com") == (503, "")


def test_another_age_reads_other_words(school: PupilSchool) -> None:
    page = school.get(f"/why?name={CLOSED}", grade="1").text
    assert "<h1>This page is closed here</h1>" in page
    assert 'action="/ask"' not in page
    assert "is open to staff" in school.get(f"/why?name={CLOSED}", grade="staff").text


def test_a_request_is_decided_in_the_dashboard_and_opens_the_name(school: PupilSchool) -> None:
    assert "Thank you, it has been sent" in school.ask_review().text
    page = school.web.get("/requests?lang=en").text
    assert ENTRY in page
    assert "127.0.6" not in page
    (number,) = school.requests("6")
    assert f'name="id" value="{number}"' in page
    done = school.web.post(
        "/do/approveRequest", id=number, reason="Bài 12", term="2700", back="/requests"
    )
    assert done.status == 303, done.text
    explanation = school.web.ask("page-why", name=CLOSED, address=SOURCES["6"])
    assert explanation["reason"] == "open"
    assert school.requests("6") == []
    assert f'name="id" value="{number}"' not in school.web.get("/requests").text
    (row,) = school.web.ask("history", limit=1)
    school.web.ask("change", kind="undo", number=row["number"])


def test_a_request_is_refused_with_a_reason_in_the_history(school: PupilSchool) -> None:
    school.ask_review(grade="7")
    (number,) = school.requests("7")
    assert school.web.post("/do/refuseRequest", id=number, reason="").status == 422
    assert school.web.post("/do/refuseRequest", id=number, reason="không cần").status == 303
    (row,) = school.web.ask("history", limit=1)
    assert (row["kind"], row["reason"]) == ("review-refusal", "không cần")
    assert row["payload"] == {"name": ENTRY, "seat": "7"}


def test_what_a_pupil_writes_before_a_closed_name_reaches_no_teacher(school: PupilSchool) -> None:
    assert "Thank you, it has been sent" in school.ask_review(grade="8", name=BULLYING).text
    rows = [one for one in school.web.ask("requests list") if one["seat"] == "8"]
    assert [row["name"] for row in rows] == [ENTRY]
    assert "nguyen-van-a" not in school.web.get("/requests?lang=en").text
    kept = school.web.served.state.review_requests.read_bytes()
    assert b"nguyen-van-a" not in kept
    assert school.web.post("/do/refuseRequest", id=str(rows[0]["id"]), reason="x").status == 303


def test_staff_without_lessons_see_no_requests(school: PupilSchool) -> None:
    assert school.web.get("/requests", Role.READER).status == 404


@pytest.mark.long
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_page_of_requests_is_for_everyone(
    school: PupilSchool, browser: Browser, language: str, size: tuple[int, int]
) -> None:
    school.ask_review(grade="8")
    with tab(browser, school.web, Role.ADMIN, size) as opened:
        opened.open(f"/requests?lang={language}")
        if folder := os.environ.get("FILTERD_PICTURES"):
            opened.picture(Path(folder) / f"requests-{language}-{size[0]}.png")
        assert opened.page.get_by_text(ENTRY).count() > 0
        assert opened.violations() == []
        assert not opened.is_too_wide()


@pytest.mark.long
def test_silent_connections_keep_pupils_waiting_for_seconds_and_the_dns_not_at_all(
    school: PupilSchool,
) -> None:
    with contextlib.ExitStack() as silent:
        for number in range(1_000):
            one = silent.enter_context(socket.socket())
            one.bind((f"127.0.9.{number % 100 + 1}", 0))
            one.connect((SINK, school.port))
        assert len(school.ask(CLOSED, "A").answer) == 1
        until(lambda: _answers(school), "the page beside them")
