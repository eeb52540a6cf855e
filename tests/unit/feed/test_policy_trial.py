# SPDX-License-Identifier: Apache-2.0
"""What is tried is compiled apart and judged; forms that commands do not show end to end."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from filterd.config.compile_run import compile_in_child
from filterd.config.lists_build import build_lists
from filterd.errors import ConfigError
from filterd.feed.feed_config import blocklists_to_build
from filterd.feed.policy_trial import tried
from filterd.querylog.lookups import LookupContext
from filterd.state_folder import StateFolder
from tests.support.clock import FakeClock
from tests.support.daemon import write_site
from tests.support.day_lookups import Looked, write_day
from tests.support.policies import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
    told = trial(text=text + more)
    assert told["changed"] == {"closes": 2, "opens": 0, "rewrites": 0}
    with pytest.raises(ConfigError):
        trial(text="networks: 7\n")


def test_the_kept_text_of_a_public_list_is_tried_without_a_network(
    trial: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "copy" / "state" / "feed" / "sources"
    kept.mkdir(parents=True)
    (kept / "ut1-gambling.txt").write_text("open.example\n")
    monkeypatch.setattr("filterd.feed.sources.SourceFolder.note", lambda *_: object())
    monkeypatch.setattr("filterd.feed.policy_trial.fetch_sources", None)
    assert trial(source="ut1-gambling")["changed"]["closes"] == 2


@pytest.mark.parametrize(
    "other",
    [
        {"source": "no-such-list"},
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
