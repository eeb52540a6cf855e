# SPDX-License-Identifier: Apache-2.0
"""The dashboard of a school that is being tried out, and what it shows while filterd is away."""

from __future__ import annotations

import contextlib
import re
import signal
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web.request_guard import csrf_of
from filterd.web.visitor import DEVICE_COOKIE
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.daemon import copy_lists, free_port, serving, write_site
from tests.support.waiting import until
from tests.support.web_school import PASSWORD, PUPIL, Reply, WebSchool, web_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")

SECRET = re.compile(r"https://127\.0\.0\.1:(\d+)(/login/code/\S+)")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    with web_school(tmp_path_factory.mktemp("school"), built) as running:
        yield running


def test_a_trial_prints_a_link_that_signs_in_once_and_ends_its_dashboard(
    tmp_path: Path, built: StateFolder
) -> None:
    config = write_site(tmp_path / "site", port=free_port())
    copy_lists(built, tmp_path / "state")
    with serving(config, tmp_path / "state", "--try") as served:
        found = SECRET.search(served.wait_for("signed in once"))
        assert found is not None
        with contextlib.closing(WebSchool(served, int(found[1]), served.process)) as school:
            assert school.get(found[2], None).status == 200
            first = school.post(found[2], None)
            assert (first.status, school.post(found[2], None).status) == (303, 403)
            cookie = {"Cookie": f"{COOKIE}={first.cookies[COOKIE]}"}
            assert school.send("GET", "/", None, cookie).status == 200
            assert served.end() == 0
            until(lambda: not _answers(school), "the end of the dashboard")


def _answers(school: WebSchool) -> bool:
    try:
        school.send("GET", "/login")
    except OSError:
        return False
    return True


def test_while_filterd_does_not_answer_the_page_explains_it_and_comes_back(
    tmp_path: Path, built: StateFolder
) -> None:
    with web_school(tmp_path, built) as school:
        token = school.token()
        assert school.get("/").status == 200
        school.served.process.send_signal(signal.SIGKILL)
        school.served.process.wait()
        for path in ("/", "/login"):
            away = school.get(path, None) if path == "/login" else school.get(path)
            assert (away.status, away.headers["refresh"]) == (503, "5")
            assert "Traceback" not in away.text
        assert school.get("/api/v1/status").status == 503
        config, state = school.served.config, school.served.state.folder
        with serving(config, state) as served:
            school.served = served
            assert school.get("/").status == 401  # a session is of the daemon that began it
            assert school.post("/login", None, account="admin", password=PASSWORD).status == 303
            assert school.token() == token


def test_a_person_signs_in_works_and_signs_out(school: WebSchool) -> None:
    school.code(Role.ADMIN)
    signed_in = school.post("/login", None, account="admin", password=PASSWORD, back="/")
    assert signed_in.status == 303
    school.tokens[Role.ADMIN] = signed_in.cookies[COOKIE]
    made = school.post(
        "/do/addAccount", account="hoa", roles="reader", password=PASSWORD + "x", back="/"
    )
    assert made.status == 303, made.text
    assert "hoa" in school.get("/").text
    assert school.post("/logout").status == 303
    assert school.get("/").status == 401


def test_an_enrolled_device_is_let_in_from_anywhere_and_its_pin_is_no_password(
    school: WebSchool,
) -> None:
    """The person's phone is in a pupils' network; its PIN is no password."""
    school.code(Role.ADMIN)
    phone = _Phone(school)
    assert phone.send("GET", "/login").status == 403
    enrolment = f"/device/{school.ask('account device-code', account='admin')['code']}"
    assert phone.send("GET", enrolment).status == 200
    assert (
        phone.send("POST", enrolment, name="Phone", pin="271828", pin_again="271828").status == 200
    )
    (device,) = school.ask("account device-list")
    school.ask("account device-confirm", id=device["id"])
    phone = _Phone(school, phone.cookies)
    until(lambda: phone.send("GET", "/login").status == 200, "the device's admission")
    assert phone.send("POST", "/login/pin", pin="271829").status == 403
    assert phone.send("POST", "/login/pin", pin="271828").status == 303
    assert phone.send("GET", "/").status == 200
    given = {"account": "mai", "roles": "reader", "password": PASSWORD}
    assert phone.send("POST", "/do/addAccount", **given).status == 403
    assert "mai" not in [one["account"] for one in school.ask("account list")]


class _Phone:
    """A browser in a pupils' network that keeps its cookies."""

    def __init__(self, school: WebSchool, cookies: dict[str, str] | None = None) -> None:
        self._school, self.cookies = school, dict(cookies or {})

    def send(self, method: str, path: str, **fields: str) -> Reply:
        token = "~".join(
            self.cookies[one] for one in (COOKIE, DEVICE_COOKIE) if one in self.cookies
        )
        fields.setdefault("csrf", csrf_of(token))
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self._school.origin,
        }
        body = urlencode(fields) if method == "POST" else None
        reply = self._school.send(method, path, body, headers, source=PUPIL)
        self.cookies |= reply.cookies
        return reply
