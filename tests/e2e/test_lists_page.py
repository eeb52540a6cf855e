# SPDX-License-Identifier: Apache-2.0
"""In a real browser: a version of the lists that waits is looked at, and approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import GuardError
from filterd.base.paths import write_atomically
from filterd.feed import guard
from filterd.feed.guard.judgement import CHECKS, Severity, found
from filterd.lists.index import Index
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say
from filterd.wire import name as names
from tests.support.browser import PHONE, tab
from tests.support.daemon import free_port, serving
from tests.support.feed_site import FIRST, SECOND, Follower, Published, judged_at_once, name_of
from tests.support.waiting import until
from tests.support.web_school import web_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from filterd.feed.guard import JudgedSchool, Judgement
    from filterd.feed.versions import Candidate
    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSchool]:
    """A version is in force, and the next one is held."""
    folder = tmp_path_factory.mktemp("held")
    published = Published(folder / "published", whole=True, count=2)
    follower = Follower(folder / "school", published)
    follower.found()
    with judged_at_once(published):
        follower.run(FIRST)

    def judge(candidate: Candidate, _: Any, site: JudgedSchool, **__: Any) -> Judgement:
        write_atomically(site.fresh_index, published.index(candidate.version))
        digest = Index.open(site.fresh_index).digest.hex()
        gone = say("category {category}: all its {had} names are gone", category="porn", had=9)
        finding = found("growth", Severity.HELD, gone)
        return guard.Judgement(candidate.version, (finding,), digest, CHECKS)

    with pytest.MonkeyPatch.context() as judging:
        judging.setattr(guard, "judge", judge)
        with pytest.raises(GuardError):
            follower.run(SECOND)
    site = follower.config / "site.yaml"
    listening = site.read_text().replace("127.0.0.1:53", f"127.0.0.1:{free_port()}")
    site.write_text(f"{listening}language: en\n")
    with (
        serving(follower.config, follower.state.folder) as served,
        web_of(served, free_port()) as made,
    ):
        yield made


def test_a_version_that_waits_is_looked_at_and_approved(
    browser: Browser, school: WebSchool
) -> None:
    qname = names.from_text(name_of(SECOND)).hex()
    assert not school.ask("lists-search", qname=qname)

    with tab(browser, school, Role.ADMIN, PHONE) as person:
        person.open("/")
        assert "a new version of the lists waits for approval" in person.page.inner_text("main")
        person.open("/lists")
        assert "category porn: all its 9 names are gone" in person.page.inner_text("main")
        assert person.violations() == []
        assert not person.is_too_wide()
        person.page.locator("#approve-1").fill("đã xem danh sách")
        person.go_on(person.page.get_by_role("button", name=f"Approve version {SECOND}"))
        person.page.locator(".done").wait_for()

    until(lambda: bool(school.ask("lists-search", qname=qname)), "the approved version")
    (approved,) = (one for one in school.ask("feed-history") if one["event"] == "approved")
    assert approved["why"] == "web:admin: đã xem danh sách"
