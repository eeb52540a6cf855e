# SPDX-License-Identifier: Apache-2.0
"""A school is set up in a browser, from the first boot to the first filtered answer."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import dns.message
import pytest

from filterd.appliance.setup.site_writer import begun
from tests.support.asking import Asker
from tests.support.browser import PHONE, browser, tab
from tests.support.commands import ROOT, environment
from tests.support.daemon import WITHIN_S, build_lists, free_port, serving
from tests.support.waiting import until
from tests.support.web_school import PUPIL, web_of
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.daemon import Served
    from tests.support.web_school import WebSchool

__all__ = ["browser"]
pytestmark = pytest.mark.long

SCHOOL = "Trường THCS Nguyễn Du"
TYPED = {
    "school": SCHOOL,
    "networks": "127.0.6.0/24, 127.0.100.0/24",
    "classes": "6A",
    "seat 127.0.6.0/24": "6A",
    "seat 127.0.100.0/24": "gv",
    "lists": "later",
    "upstreams": "127.0.0.1",
}


def _words(served: Served) -> list[str]:
    return [sys.executable, "-u", "-m", "filterd", "setup", "--web", *map(str, served.options)]


@contextlib.contextmanager
def setting_up(served: Served) -> Iterator[str]:
    """Run the process of the set-up; yield the code that it shows."""
    process = subprocess.Popen(
        _words(served), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        code = next(found[1] for line in process.stdout if (found := re.search(r"Mã: (\S+)", line)))
        until(served.state.setup_socket.is_socket, "the socket of the set-up")
        yield code
        process.wait(WITHIN_S)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[WebSchool]:
    """A gateway as it is after the installation."""
    config, port = tmp_path / "site", free_port()
    config.mkdir()
    text = f"{begun('en')}\nlisten: ['127.0.0.1:{port}']\n"
    (config / "site.yaml").write_text(text, encoding="utf-8")
    state = build_lists(config, tmp_path / "state")
    with serving(config, state.folder) as served, web_of(served, free_port()) as web:
        yield web


def answer(page: Page) -> None:
    """Answer the question that the page shows."""
    key = page.get_attribute("input[name=key]", "value") or ""
    if page.query_selector("input[type=radio]"):
        value = TYPED.get(key)
        page.check(f"input[value={value}]" if value else "input[type=radio]:checked")
    elif key in TYPED:
        page.fill("input[name=text]", TYPED[key])
    with page.expect_navigation():
        page.click("form[action='/setup/answer'] button")
    page.wait_for_selector("main form")


def test_a_school_is_set_up_from_first_boot_to_the_first_filtered_answer(
    gateway: WebSchool, browser: Browser
) -> None:
    served = gateway.served
    with setting_up(served) as code, tab(browser, gateway, size=PHONE) as opened:
        page = opened.page
        opened.open("/setup?lang=vi")
        assert opened.violations() == []
        page.fill("#code", "AAAA-BBBB-CCCC")
        page.click("form[action='/setup/claim'] button")
        assert page.query_selector("#code") is not None
        page.fill("#code", code.lower())
        page.click("form[action='/setup/claim'] button")
        questions = 0
        page.wait_for_selector("input[name=key]", state="attached")
        while page.query_selector("input[name=key]"):
            questions += 1
            assert opened.violations() == [], page.content()
            assert not opened.is_too_wide()
            answer(page)
            assert questions < 40, page.inner_text("main")
        page.click("form[action='/setup/finish'] button")
        page.wait_for_selector(
            "form[action='/setup/end']", timeout=4_000 * WITHIN_S
        )  # lists are compiled
        assert opened.violations() == []
        assert SCHOOL in page.inner_text(".sheet")
        link = page.get_attribute("a[href^='/login/code/']", "href")
        page.click("form[action='/setup/end'] button")
        opened.open("/setup")
        assert page.inner_text("main").count("/setup") == 0
        opened.open(str(link))
        page.click("main form button")
        assert page.url == f"{gateway.origin}/"
    assert gateway.get("/setup", role=None).status == 404
    assert SCHOOL in (served.config / "site.yaml").read_text(encoding="utf-8")
    port = int(re.findall(r"127\.0\.0\.1:(\d+)", (served.config / "site.yaml").read_text())[0])
    with Asker(("127.0.0.1", port), PUPIL) as asker:
        reply = dns.message.from_wire(asker.by_udp(a_query("www.1xbet.com", message_id=1)))
    assert reply.rcode() == dns.rcode.NXDOMAIN


def test_without_a_set_up_there_is_no_page(gateway: WebSchool) -> None:
    assert gateway.get("/setup", role=None).status == 404
    assert gateway.post("/setup/claim", role=None, code="x").status == 404


def test_a_pupil_gets_the_page_and_no_further_without_the_code(gateway: WebSchool) -> None:
    with setting_up_without_end(gateway.served):
        assert gateway.send("GET", "/setup", source=PUPIL).status == 200
        for step in ("answer", "back", "finish", "end"):
            assert (
                gateway.post(f"/setup/{step}", role=None, key="language", text="vi").status == 403
            )
        assert gateway.send("GET", "/", source=PUPIL).status in (303, 403)


@contextlib.contextmanager
def setting_up_without_end(served: Served) -> Iterator[None]:
    """Run the process of the set-up, and end it."""
    process = subprocess.Popen(
        _words(served), cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        until(served.state.setup_socket.is_socket, "the socket of the set-up")
        yield
    finally:
        process.terminate()
        process.wait(WITHIN_S)
