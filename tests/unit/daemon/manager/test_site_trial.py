# SPDX-License-Identifier: Apache-2.0
"""A site is checked against expectations, and nothing comes into force by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigErrors
from filterd.config.compile_run import compile_in_child
from filterd.policy.model import Audience, Expectation
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.team import School, Team


def test_unmet_expectations_are_reported_from_the_first_start_on(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(team: Team) -> None:
        answer = await team.manager.status()
        assert "expected: www.tiktok.com is blocked for primary" in str(answer["doubts"])
        done = await team.manager.reload()  # the lists may be new, the files are as they were
        assert done.doubts == answer["doubts"]
        school.write()
        assert (await team.manager.reload()).doubts == ()
        assert (await team.manager.status())["doubts"] == ()

    school.state.policy.unlink()  # no start was before
    school.write("grades:\n  3: {categories: {allow: [social-media]}}\n")
    school.serve(work)
    assert "let it pass for 3: it is blocked" in caplog.text


def test_files_are_tried_without_coming_in_force(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Path] = []

    def compiling(config: Path, target: Path, **more: Any) -> ConfigErrors | None:
        compiled.append(target)
        return compile_in_child(config, target, **more)

    monkeypatch.setattr("filterd.daemon.manager.site_policy.compile_in_child", compiling)

    async def work(team: Team) -> None:
        hold, before = team.manager.expectations.hold, team.manager.site
        compiled.clear()  # at the start
        assert (await hold(None))["unmet"] == []
        assert compiled == []  # the files are as they were when it was compiled
        school.write("grades:\n  3: {categories: {allow: [social-media]}}\n")
        answer = {one["expected"]: one["found"] for one in (await hold(None))["unmet"]}
        assert [one["grade"] for one in answer["www.tiktok.com is blocked for primary"]] == ["3"]
        wanted = Expectation(
            names.from_text("vnu.edu.vn"), True, Audience.GRADE, "3", "written", "a.yaml", 3
        )
        (unmet,) = (await hold((wanted,)))["unmet"]
        assert (unmet["path"], unmet["line"], unmet["expected"]) == ("a.yaml", 3, "written")
        assert compiled == [school.state.tried_policy]
        assert team.manager.site.index is before.index
        assert (await team.manager.status())["doubts"] == ()
        school.write("nonsense: 1\n")
        with pytest.raises(ConfigErrors, match="nonsense"):
            await hold(None)

    school.serve(work)
