# SPDX-License-Identifier: Apache-2.0
"""``filterd site apply`` puts a proposal in force, or says in one line why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config.site_proposal import PROPOSAL, SiteProposal, digest_of
from filterd.state_folder import StateFolder
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

SITE = "school: {name: A}\nlanguage: en\nnetworks: {}\n"


def test_without_a_daemon_that_takes_it_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "site.yaml").write_text(SITE)
    places = ("--config", tmp_path, "--state", tmp_path / "state")
    done = call("site", "apply", *places)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    proposal = SiteProposal(digest_of(SITE), SITE.replace("A", "B"), "web:lan")
    PROPOSAL.save(StateFolder(tmp_path / "state").site_proposal, proposal)
    done = call("site", "apply", *places)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert (tmp_path / "site.yaml").read_text() == SITE
