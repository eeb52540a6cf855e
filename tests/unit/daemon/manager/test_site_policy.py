# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest import mock

import pytest

from filterd.base.errors import ConfigErrors, StoreError
from filterd.base.paths import shipped
from filterd.base.state_folder import StateFolder
from filterd.config import build_record
from filterd.daemon.manager import site_loader as on_disk
from filterd.daemon.manager import site_policy
from filterd.daemon.manager.site_policy import compile_policy_or_keep, install_policy
from filterd.lists.index_files import Blocklists
from filterd.policy import policy_file
from filterd.policy.model import Client
from filterd.resolve import expectation_checks
from filterd.resolve.explain import explain
from filterd.wire import RRType
from filterd.wire import name as names
from tests.support.daemon import write_site
from tests.support.disk_fixtures import break_site, built, config, damage, state
from tests.support.other_tables import is_by_other_tables, other_tables
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.process import Setting

__all__ = ["built", "config", "state"]


def test_a_candidate_takes_the_place_of_the_policy_in_force(tmp_path: Path) -> None:
    candidate, in_force = tmp_path / "candidate", tmp_path / "policy"
    candidate.write_bytes(b"new")
    in_force.write_bytes(b"old")
    install_policy(candidate, in_force)
    assert in_force.read_bytes() == b"new"
    assert not candidate.exists()
    install_policy(in_force, in_force)
    assert in_force.read_bytes() == b"new"


def test_a_disk_that_refuses_is_reported_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="candidate: cannot be installed"):
        install_policy(tmp_path / "candidate", tmp_path / "policy")


def test_a_valid_site_replaces_the_compiled_policy(config: Path, state: StateFolder) -> None:
    write_site(config, port=5300)
    compile_policy_or_keep(config, state, now=NOW)
    assert [listen.port for listen in policy_file.load(state.policy).listen] == [5300]


def test_a_policy_of_another_release_serves_until_the_manager_compiles_it(
    config: Path, state: StateFolder
) -> None:
    on_disk.compile_policy(config, state)
    before = state.policy.stat()
    setting = cast("Setting", SimpleNamespace(config=config, state=state))
    assert not site_policy.is_of_another_release(setting)
    with mock.patch.object(build_record, "_stamp", return_value=(1, 1)):
        compile_policy_or_keep(config, state, now=NOW)
        assert state.policy.stat() == before
        assert site_policy.is_of_another_release(setting)
        write_site(config, port=5300)
        assert not site_policy.is_of_another_release(setting)
        compile_policy_or_keep(config, state, now=NOW)
    assert [listen.port for listen in policy_file.load(state.policy).listen] == [5300]


def test_an_invalid_site_leaves_the_last_good_policy_and_is_logged_as_an_error(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    before = state.policy.read_bytes()
    break_site(config)
    compile_policy_or_keep(config, state, now=NOW)
    assert state.policy.read_bytes() == before
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "site.yaml:2:10: listen" in errors[0]
    assert "its last good policy stays in force" in errors[-1]


def test_an_invalid_site_beside_new_lists_serves_as_it_was_by_their_tables(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    write_site(config, port=5300)
    on_disk.compile_policy(config, state)
    break_site(config)
    tables = Blocklists(other_tables(tmp_path), "7")
    with mock.patch.object(site_policy, "blocklists_in_force", return_value=tables):
        compile_policy_or_keep(config, state, now=NOW)
        policy = policy_file.load(state.policy)
        assert is_by_other_tables(policy)
        assert [listen.port for listen in policy.listen] == [5300]
        compile_policy_or_keep(config, state, now=NOW)  # the next start finds the same
        assert policy_file.load(state.policy) == policy
    assert "site.yaml:2:10: listen" in _errors(caplog)
    assert "last good version of the site" in _errors(caplog)


def test_control_of_a_policy_whose_files_are_not_known_no_other_is_made(
    config: Path, state: StateFolder, tmp_path: Path
) -> None:
    break_site(config)
    tables = Blocklists(other_tables(tmp_path), "7")
    with mock.patch.object(site_policy, "blocklists_in_force", return_value=tables):
        compile_policy_or_keep(config, state, now=NOW)
    assert not is_by_other_tables(policy_file.load(state.policy))


def test_an_invalid_site_without_a_last_good_policy_is_an_error(
    config: Path, tmp_path: Path
) -> None:
    break_site(config)
    with pytest.raises(ConfigErrors, match=r"site\.yaml:2:10: listen"):
        compile_policy_or_keep(config, StateFolder(tmp_path / "new"), now=NOW)


def test_an_invalid_site_beside_a_damaged_policy_is_an_error_that_names_both(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    break_site(config)
    damage(state.policy)
    with pytest.raises(ConfigErrors, match=r"site\.yaml:2:10: listen"):
        compile_policy_or_keep(config, state, now=NOW)
    assert "policy.filterd: damaged" in caplog.text


def test_a_damaged_policy_is_compiled_again(config: Path, state: StateFolder) -> None:
    damage(state.policy)
    compile_policy_or_keep(config, state, now=NOW)
    assert on_disk.load_site(config, state, now=NOW).policy.school == "Trường mẫu"


OPEN_TO_ALL = "grades:\n  3: {categories: {allow: [social-media]}}\n"
"""What ``expectations/primary.yaml`` does not expect: TikTok is open to grade 3."""
EXCEPTION = """\
exceptions:
  - {allow: www.tiktok.com, for: {grade: 3}, reason: Bài học truyền thông}
"""


def _blocks_tiktok(config: Path, state: StateFolder, grade: str = "3") -> bool:
    site = on_disk.load_site(config, state, now=NOW)
    client = Client(site.policy.grades[grade])
    return explain(site, client, names.from_text("www.tiktok.com"), RRType.A, NOW).blocked


def _errors(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(
        record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR
    )


def test_at_the_first_start_what_is_expected_to_be_blocked_is_blocked(
    config: Path, state: StateFolder
) -> None:
    state.policy.unlink()
    write_site(config, port=5353, more=OPEN_TO_ALL)
    compile_policy_or_keep(config, state, now=NOW)
    assert _blocks_tiktok(config, state)
    text = "\n".join(map(str, expectation_checks.enforced_in(policy_file.load(state.policy))))
    assert "www.tiktok.com is blocked for primary; the site's files let it pass for 3:" in text
    on_disk.compile_policy(config, state)  # as the files are
    assert not _blocks_tiktok(config, state)


def test_a_policy_that_blocks_what_is_expected_stays_while_the_files_do(
    config: Path, state: StateFolder
) -> None:
    state.policy.unlink()
    write_site(config, port=5353, more=OPEN_TO_ALL)
    compile_policy_or_keep(config, state, now=NOW)
    first = state.policy.read_bytes()
    assert build_record.is_current(state.policy, config, blocklists=shipped("blocklists"))
    compile_policy_or_keep(config, state, now=NOW)
    assert state.policy.read_bytes() == first
    write_site(config, port=5300, more=OPEN_TO_ALL)
    compile_policy_or_keep(config, state, now=NOW)
    assert state.policy.read_bytes() == first
    write_site(config, port=5300)
    compile_policy_or_keep(config, state, now=NOW)
    assert [one.port for one in policy_file.load(state.policy).listen] == [5300]
    assert expectation_checks.enforced_in(policy_file.load(state.policy)) == ()


def test_a_start_does_not_put_in_force_what_a_reload_would_refuse(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    before = state.policy.read_bytes()
    write_site(config, port=5353, more=OPEN_TO_ALL)
    compile_policy_or_keep(config, state, now=NOW)
    assert state.policy.read_bytes() == before
    assert "expected: www.tiktok.com is blocked for primary" in _errors(caplog)
    assert "its last good policy stays in force" in _errors(caplog)


def test_an_exception_of_the_school_is_in_force_from_the_first_start_on(
    config: Path, state: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    state.policy.unlink()
    write_site(config, port=5353, more=EXCEPTION)
    compile_policy_or_keep(config, state, now=NOW)
    assert not _blocks_tiktok(config, state)
    assert _blocks_tiktok(config, state, "4")
    assert _errors(caplog) == ""


def test_what_the_last_good_policy_does_not_meet_either_keeps_no_other_away(
    config: Path, state: StateFolder
) -> None:
    expected = config / "expectations" / "own.yaml"
    expected.parent.mkdir()
    expected.write_text("- www.tiktok.com passes for grade 4\n", encoding="utf-8")
    state.policy.unlink()
    compile_policy_or_keep(config, state, now=NOW)
    assert _blocks_tiktok(config, state, "4")  # what should pass is reported, and stays blocked
    write_site(config, port=5300)
    compile_policy_or_keep(config, state, now=NOW)
    assert [one.port for one in policy_file.load(state.policy).listen] == [5300]
