# SPDX-License-Identifier: Apache-2.0
"""What is tried is compiled apart and judged; forms that commands do not show end to end."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_folder import StateFolder
from filterd.config.compile_run import compile_in_child
from filterd.config.lists_build import build_lists
from filterd.feed.feed_config import blocklists_to_build
from filterd.feed.followed.sources import SourceOutcome, SourceReport
from filterd.feed.policy_trial import tried
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.querylog.lookups import LookupContext
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.daemon import write_site
from tests.support.day_lookups import Looked, write_day
from tests.support.policies import NOW
from tests.support.web import Page, Web, public_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from filterd.feed.followed.source_limits import FetchRules
    from filterd.lists.catalogs.catalog import PublicSource

DAY = "2025-11-30"
TWELFTH = LookupContext("12", "", "", "", "pass")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a site, its lists, and a log."""
    folder = tmp_path_factory.mktemp("trial")
    config, state = write_site(folder / "site", port=5353), StateFolder(folder / "state")
    state.what_if.mkdir(parents=True)
    build_lists(config, blocklists_to_build(config, state), state.index, now=NOW)
    compile_in_child(config, state.policy)
    rows = [Looked(60, "www.tiktok.com", TWELFTH, 3), Looked(61, "open.example", TWELFTH, 2)]
    write_day(state.log_days, DAY, rows)
    return folder


@pytest.fixture
def trial(built: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Try something in a copy of that folder; return what would change."""
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)

    def run(**other: Any) -> dict[str, Any]:
        request = {
            "config": str(folder / "site"),
            "state": str(folder / "state"),
            "other": other,
            "days": [DAY],
            "today": DAY,
            "now": NOW,
            "overrides": {},
        }
        return tried(request, FakeClock())

    return run


def test_another_text_of_the_site_is_compiled_with_its_other_files(
    trial: Callable[..., dict[str, Any]], built: Path
) -> None:
    text = (built / "site" / "site.yaml").read_text()
    assert not any(trial(text=text)["changed"].values())
    more = "exceptions:\n  - {block: open.example, reason: thử}\n"
    outcome = trial(text=text + more)
    assert outcome["changed"] == {"closes": 2, "opens": 0, "rewrites": 0}
    with pytest.raises(ConfigError):
        trial(text="networks: 7\n")


def test_the_kept_text_of_a_public_list_is_tried_without_a_network(
    trial: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "copy" / "state" / "feed" / "sources"
    kept.mkdir(parents=True)
    (kept / "ut1-gambling.txt").write_text("open.example\n")
    monkeypatch.setattr("filterd.feed.followed.sources.SourceFolder.note", lambda *_: object())
    monkeypatch.setattr("filterd.feed.policy_trial.fetch_sources", None)
    assert trial(source="ut1-gambling")["changed"]["closes"] == 2


def test_public_lists_are_fetched_for_it_and_nothing_of_them_is_kept(
    trial: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {"category": "gambling", "format": "hosts"}
    (tmp_path / "tls").mkdir()
    with public_server(Web(), tmp_path / "tls", monkeypatch) as web:
        web.pages = {"/a": Page(b"0.0.0.0 open.example\n"), "/b": Page(b"0.0.0.0 b.example\n")}
        address = f"{web.address}/a {web.address}/b"
        outcome = trial(source="", address=address, **how)
        assert outcome["changed"] == {"closes": 2, "opens": 0, "rewrites": 0}
        assert [one for one, _ in web.asked] == ["/a", "/b"]
        with pytest.raises(ConfigError, match=r"cannot be fetched: .* status 404"):
            trial(source="", address=f"{web.address}/none", **how)
    state = tmp_path / "copy" / "state"
    assert not (state / "feed" / "sources").exists()
    assert not [*(state / "what-if").iterdir()]


def test_the_recommended_lists_are_tried_at_once_but_for_those_followed_already(
    trial: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, small = list[str](), [source for source in shipped_sources() if source.recommended][:3]
    small = [replace(one, names=1) for one in small]
    monkeypatch.setattr("filterd.feed.feed_config.shipped_sources", lambda: small)
    with (tmp_path / "copy" / "site" / "site.yaml").open("a") as file:
        file.write(f"follow: [{small[0].id}]\n")

    def fetched(sources: Sequence[PublicSource], *_: Any, rules: FetchRules) -> list[SourceReport]:
        asked.extend(source.id for source in sources)
        assert rules.budget is not None
        assert rules.budget.seconds <= 60
        return [
            SourceReport(source.id, SourceOutcome.MISSING, say("no route")) for source in sources
        ]

    monkeypatch.setattr("filterd.feed.policy_trial.fetch_sources", fetched)
    with pytest.raises(ConfigError, match="no route"):
        trial(source="recommended")
    assert asked == [one.id for one in small[1:]]


@pytest.mark.parametrize(
    "other",
    [
        {"source": "no-such-list"},
        {"source": "", "address": "file:///etc/shadow", "category": "games", "format": "domains"},
        {"source": "", "address": "https://127.0.0.1/", "category": "games", "format": "domains"},
        {"source": "", "address": "https://a.example/", "category": "no", "format": "domains"},
        {"feed": "12"},
        {"feed": "../../site"},
        {"list": "/x", "category": "none", "format": "domains"},
        {"list": "/x", "category": "games", "format": "none"},
    ],
)
def test_what_is_not_known_is_refused(
    trial: Callable[..., dict[str, Any]], other: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        trial(**other)
