# SPDX-License-Identifier: Apache-2.0
"""A real Chromium, in which every error of a page is a failure."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.needs import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

    from filterd.overrides.rights.roles import Role
    from tests.support.web_school import WebSchool

PHONE, DESKTOP = (360, 740), (1280, 900)
LOOKS = [("vi", "dark", PHONE), ("en", "light", DESKTOP)]
"""Language, colours and size; each of them is in one: axe takes a second for each page."""

ANSWERED_WITHIN_MS = 90_000
"""A decision on lists is answered after 45 s at most, and the page comes after it."""

_REFUSED_PORTS = (
    *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061),
    *(6000, 6566, *range(6665, 6670), 6679, 6697, 10080),
)
"""Above 1023 those of other services: free here, but Chromium opens no page there."""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--explicitly-allowed-ports={','.join(map(str, _REFUSED_PORTS))}",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file.

    Not for longer: while it is there, its event loop runs in this thread, and other tests
    cannot run theirs.
    """
    program = command("chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only where there is one

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        yield opened
        opened.close()


@dataclass
class Tab:
    """A tab of a person, and what its pages have complained of."""

    page: Page
    origin: str
    scripts: bool = True
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        """Open a page of the dashboard; return the answer."""
        return self.page.goto(f"{self.origin}{path}")

    def go_on(self, element: Locator) -> None:
        """Click what leads to another page, and wait until that one is loaded."""
        with self.page.expect_navigation():
            element.click()

    def hear(self, said: ConsoleMessage) -> None:
        """Note an error of the console; that the page itself was refused is none."""
        if said.type == "error" and said.location.get("url") != self.page.url:
            self.complaints.append(f"{said.text} {said.location}")

    def picture(self, file: Path) -> None:
        """Draw the whole page into a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file, full_page=True)

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page by WCAG 2.2 A and AA."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 -- heavy

        assert self.scripts, "axe is a script: without scripts it would wait for ever"
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]

    def faults(self, paths: Iterable[str], language: str, *statuses: int) -> dict[str, list[str]]:
        """Return by page what axe finds, and at which of the usual sizes it is too wide.

        Args:
            paths: of the pages.
            language: in which they are shown.
            statuses: of an answer that is no fault, beside 200.
        """
        found: dict[str, list[str]] = {}
        size = self.page.viewport_size
        assert size is not None
        for path in paths:
            status = self.open(f"{path}{'&' if '?' in path else '?'}lang={language}").status
            faults = [f"status {status}"] if status not in (200, *statuses) else []
            faults += self.violations()
            for width, height in (PHONE, DESKTOP):
                self.page.set_viewport_size({"width": width, "height": height})
                faults += [f"too wide at {width} px"] * self.is_too_wide()
            if size is not None:
                self.page.set_viewport_size(size)
            found |= {path: faults} if faults else {}
        return found

    def is_too_wide(self) -> bool:
        """Return whether the page itself must be scrolled sideways."""
        script = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(script))


@contextlib.contextmanager
def tab(
    browser: Browser,
    school: WebSchool,
    role: Role | None = None,
    size: tuple[int, int] = DESKTOP,
    *,
    scripts: bool = True,
    **more: Any,
) -> Iterator[Tab]:
    """Open a tab, signed in as a role; errors of its pages fail the test at the end.

    Args:
        browser: the browser.
        school: whose dashboard it shows.
        role: of the person; None without a sign-in.
        size: width and height in CSS pixels.
        scripts: whether they run.
        more: of the context, such as ``color_scheme="dark"`` and ``locale="en"``.
    """
    width, height = size
    context = browser.new_context(
        ignore_https_errors=True,
        java_script_enabled=scripts,
        viewport={"width": width, "height": height},
        **more,
    )
    context.set_default_timeout(ANSWERED_WITHIN_MS)
    try:
        if role is not None:
            token = school.token(role)
            context.add_cookies(
                [{"name": COOKIE, "value": token, "url": school.origin, "secure": True}]
            )
        opened = Tab(context.new_page(), school.origin, scripts)
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("console", opened.hear)
        yield opened
        assert opened.complaints == []
    finally:
        context.close()
