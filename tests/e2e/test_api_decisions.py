# SPDX-License-Identifier: Apache-2.0
"""An administrator decides by the API which version of the lists is in force."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import GuardError
from filterd.base.state_folder import StateFolder
from filterd.overrides.rights.roles import Role
from filterd.web.operations import BY_NAME
from tests.support.daemon import free_port, serving
from tests.support.feed_school import a_school
from tests.support.feed_site import FIRST, SECOND, Follower, Published, judged_at_once, name_of
from tests.support.signed_in import token_of, visitor_of
from tests.support.waiting import until
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    """Version 3 is in force, and version 2 the one before; a daemon serves them."""
    folder = tmp_path_factory.mktemp("decisions")
    published = Published(folder / "published", whole=True, count=2)
    follower = Follower(folder / "school", published)
    follower.found()
    with judged_at_once(published):
        follower.run(FIRST)
        follower.run(SECOND)
    site = follower.config / "site.yaml"
    listening = site.read_text().replace("127.0.0.1:53", f"127.0.0.1:{free_port()}")
    site.write_text(f"{listening}language: en\n")
    with serving(follower.config, follower.state.folder):
        yield follower


def _as_administrator(socket: Path) -> Callable[..., Any]:
    """Return what does an operation by its name, with these values."""
    token = token_of(socket, Role.ADMIN)

    def do(name: str, /, **values: Any) -> Any:
        async def done() -> Any:
            return await (await visitor_of(socket, token)).call(BY_NAME[name], **values)

        return asyncio.run(done())

    return do


def _is_answered(answer: dict[str, Any], key: str, value: object) -> bool:
    """Return whether the answer has the result, or the command goes on: after 45 s, under load."""
    return answer.get(key) == value or answer.keys() == {"at_work"}


def test_a_version_is_rolled_back_and_approved_again_and_the_daemon_serves_it(
    follower: Follower,
) -> None:
    do = _as_administrator(follower.state.control_socket)

    def serves(version: str) -> bool:
        return bool(do("findEntries", name=name_of(version)))

    assert serves(SECOND)
    back = do("rollBackVersion", reason="chặn nhầm")
    assert _is_answered(back, "bad", int(SECOND))
    assert _is_answered(back, "version", int(FIRST))
    until(lambda: serves(FIRST), "the version before")
    assert not serves(SECOND)
    approved = do("approveVersion", version=SECOND, reason="đã xem lại")
    assert _is_answered(approved, "version", int(SECOND))
    until(lambda: serves(SECOND), "the approved version")
    noted = [one for one in do("readFeedHistory") if one["event"] == "approved"]
    assert "web:quan-tri: đã xem lại" in noted[-1]["why"]


RETIRED = "vnpt-ca.vn"


def _without_a_pin(folder: Path) -> None:
    change_yaml(
        folder / "pins.yaml",
        lambda data: data.update(pins=[one for one in data["pins"] if one["name"] != RETIRED]),
    )


@pytest.mark.long
def test_a_version_that_the_guard_has_just_held_is_shown_and_approved(tmp_path: Path) -> None:
    with a_school(tmp_path) as school:
        site = tmp_path / "site" / "site.yaml"
        site.write_text(f"{site.read_text()}feed: https://feed.example/\n")
        before, held = school.in_force, school.publish(_without_a_pin)
        with pytest.raises(GuardError, match="is held: pins: "):
            school.sync()
        do = _as_administrator(StateFolder(tmp_path / "state").control_socket)
        judged = do("readFeed")["judgement"]
        assert (str(judged["version"]), school.in_force) == (held, before)
        assert RETIRED in str(judged)
        approved = do("approveVersion", version=held, reason="không còn dùng")
        assert _is_answered(approved, "version", int(held))
        until(lambda: school.in_force == held, "the approved version")
        assert school.pupil.wrong_answers() == []
