# SPDX-License-Identifier: Apache-2.0
"""What today's Chromium shows a pupil for a closed name, with a sinkhole and without.

The browser looks names up in the school's DNS and nowhere else. Grade 6 has a sinkhole that
leads to the page of pupils, whose port 443 has no listener; grade 9 gets NXDOMAIN. With
``FILTERD_PICTURES`` the pictures are kept in that folder.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.browser import ANSWERED_WITHIN_MS, ARGUMENTS, LOOKS, PHONE, Tab
from tests.support.commands import ROOT, environment
from tests.support.daemon import WITHIN_S, build_lists
from tests.support.namespaces import connect, namespaces
from tests.support.needs import command
from tests.support.waiting import ask, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Playwright

    from tests.support.namespaces import Namespace

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_namespaces")]

PLAIN, PRELOADED = "tro-choi.example", "facebook.com"
"""A name without, and one with an entry in the browser's own list of HTTPS-only names."""
BOX = {"6": "192.168.6.1", "9": "192.168.9.1"}
SITE = f"""\
school: {{name: Trường THCS Nguyễn Du, contact: "Phòng tư vấn, 028 3829 0000"}}
listen: ['192.168.6.1:53', '192.168.9.1:53']
upstreams: ['192.168.6.1:9']
networks:
  a: {{cidrs: [192.168.6.0/24], grade: 6}}
  b: {{cidrs: [192.168.9.0/24], grade: 9}}
grades:
  6: {{block_response: sinkhole, sinkhole: {{ipv4: 192.168.6.1}}}}
exceptions:
  - {{block: {PLAIN}, for: everybody, reason: thử nghiệm}}
"""


class Shown(NamedTuple):
    """What a browser shows: its error or "", the address and the first heading."""

    error: str
    address: str
    heading: str


@pytest.fixture(scope="module")
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """Serve DNS and page at the box, and yield the place of a pupil's device."""
    folder = tmp_path_factory.mktemp("school")
    (folder / "site").mkdir()
    (folder / "site" / "site.yaml").write_text(SITE, encoding="utf-8")
    state = build_lists(folder / "site", folder / "state")
    with namespaces("box", "pupil") as (box, device), contextlib.ExitStack() as running:
        connect((box, "eth0"), (device, "eth0"))
        for net in ("6", "9"):
            box.ip(f"address add 192.168.{net}.1/24 dev eth0")
            device.ip(f"address add 192.168.{net}.20/24 dev eth0")
        where = ("--config", str(folder / "site"), "--state", str(state.folder))
        for words in (("serve", *where), ("blockpage", *where, "--listen", "192.168.6.1:80")):
            process = box.process(
                sys.executable, "-m", "filterd", *words, cwd=ROOT, env=environment()
            )
            running.callback(process.wait, WITHIN_S)
            running.callback(process.terminate)
        until(lambda: _listens(device, 53) and _listens(device, 80), "DNS and page")
        ask(state.control_socket, "status")  # the page asks the manager, which begins last
        yield device


def _listens(device: Namespace, port: int) -> bool:
    with contextlib.suppress(OSError), device.socket(socket.SOCK_STREAM, BOX["6"], port=port):
        return True
    return False


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    command("chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only where there is one

    with sync_playwright() as found:
        yield found


@contextlib.contextmanager
def _browser(driver: Playwright, device: Namespace, folder: Path, grade: str) -> Iterator[Browser]:
    """Open a browser in the place of the device, with the school's DNS as its own."""
    resolver, program = folder / f"resolv-{grade}", folder / f"chromium-{grade}"
    resolver.write_text(f"nameserver {BOX[grade]}\n", encoding="ascii")
    inside = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    words = device.command("unshare", "-m", "sh", "-c", inside, str(resolver), command("chromium"))
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    opened = driver.chromium.launch(executable_path=program, args=[*ARGUMENTS])
    try:
        yield opened
    finally:
        opened.close()


def _shown(page: Page, address: str, picture: str) -> Shown:
    from playwright.sync_api import Error  # noqa: PLC0415 -- only where there is a browser

    error = ""
    try:
        page.goto(address)
    except Error as found:
        error = found.message.partition("net::")[2].partition(" ")[0]
    page.wait_for_load_state()
    if folder := os.environ.get("FILTERD_PICTURES"):
        page.screenshot(path=Path(folder) / f"{picture}.png", full_page=True)
    heading = page.locator("h1").first
    return Shown(error, page.url, heading.inner_text() if heading.count() else "")


@pytest.fixture(scope="module")
def browsers(
    pupil: Namespace, driver: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Browser]]:
    """Yield a browser by grade."""
    folder = tmp_path_factory.mktemp("browser")
    with _browser(driver, pupil, folder, "6") as six, _browser(driver, pupil, folder, "9") as nine:
        yield {"6": six, "9": nine}


def _opened(browsers: dict[str, Browser], grade: str, address: str) -> Shown:
    width, height = PHONE
    page = browsers[grade].new_page(viewport={"width": width, "height": height}, locale="vi")
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    try:
        return _shown(page, address, f"grade-{grade}-{address.replace('/', '')}")
    finally:
        page.close()


def test_by_http_a_sinkhole_shows_the_page(browsers: dict[str, Browser]) -> None:
    assert _opened(browsers, "6", f"http://{PLAIN}/x") == Shown(
        "", f"http://{PLAIN}/x", f"Nhà trường đóng {PLAIN} đối với khối 6"
    )


@pytest.mark.parametrize(
    "address", [f"https://{PLAIN}/", f"https://{PRELOADED}/", f"http://{PRELOADED}/"]
)
def test_by_https_a_sinkhole_is_refused_at_once_and_warns_of_no_certificate(
    browsers: dict[str, Browser], address: str
) -> None:
    assert _opened(browsers, "6", address).error == "ERR_CONNECTION_REFUSED"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", [PLAIN, PRELOADED])
def test_without_a_sinkhole_the_name_is_not_found(
    browsers: dict[str, Browser], scheme: str, name: str
) -> None:
    assert _opened(browsers, "9", f"{scheme}://{name}/").error == "ERR_NAME_NOT_RESOLVED"


PAGES = {
    "field": "/",
    "age": "/why?name=www.tiktok.com",
    "locked": "/why?name=pornhub.com",
    "help": "/why?name=self-harm.blocked.filterd.example",
    "danger": "/why?name=scam.blocked.filterd.example",
    "open": f"/why?name={'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 50}.example",
    "nothing": "/why?name=%3Cscript%3E",
    "missing": "/x",
}


@pytest.mark.parametrize(("language", "scheme", "size"), LOOKS)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_for_everyone(
    browsers: dict[str, Browser], page: str, language: str, scheme: Any, size: tuple[int, int]
) -> None:
    width, height = size
    opened = browsers["6"].new_page(
        viewport={"width": width, "height": height}, locale=language, color_scheme=scheme
    )
    opened.set_default_timeout(ANSWERED_WITHIN_MS)
    tab = Tab(opened, f"http://{BOX['6']}")
    opened.on("console", tab.hear)
    tab.open(PAGES[page])
    if folder := os.environ.get("FILTERD_PICTURES"):
        tab.picture(Path(folder) / f"{page}-{language}-{scheme}-{width}.png")
    assert tab.violations() == []
    assert not tab.is_too_wide()
    assert tab.complaints == []
    opened.close()


def test_without_scripts_a_pupil_asks_for_a_review(browsers: dict[str, Browser]) -> None:
    context = browsers["6"].new_context(java_script_enabled=False, locale="en")
    context.set_default_timeout(ANSWERED_WITHIN_MS)
    page = context.new_page()
    page.goto(f"http://{BOX['6']}/")
    page.get_by_label("Address of the page").fill("https://www.tiktok.com/@x")
    page.get_by_role("button", name="Why is it closed?").press("Enter")
    page.get_by_label("for homework").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Ask", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "Thank you, it has been sent"
    context.close()
