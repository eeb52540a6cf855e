# SPDX-License-Identifier: Apache-2.0
"""A site is compiled in a child; on any failure the old policy stays."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from filterd.base.bounded_child import Ended
from filterd.base.errors import ConfigErrors, StoreError
from filterd.config import compile_run
from filterd.config.compile_run import compile_in_child
from filterd.policy import policy_file
from tests.support.site import SCHOOL

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")


def _site(folder: Path, text: str = "") -> Path:
    (folder / "site.yaml").write_text(SCHOOL + text, encoding="utf-8")
    return folder


def test_the_child_writes_a_policy_that_loads_whatever_module_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    compile_in_child(_site(tmp_path), tmp_path / "state" / "policy")
    assert policy_file.load(tmp_path / "state" / "policy").school == "Mẫu"


def test_all_problems_arrive_as_the_child_found_them(tmp_path: Path) -> None:
    """So it is where it is not known what the site was before."""
    site, policy = _site(tmp_path, "languag: vi\nunknown: 13\n"), tmp_path / "policy"
    with pytest.raises(ConfigErrors) as caught:
        compile_in_child(site, policy, kept_of=tmp_path / "none")
    assert not policy.exists()
    first, second = caught.value.errors
    assert (first.path, first.line, first.column) == (str(tmp_path / "site.yaml"), 2, 1)
    assert first.hint == "did you mean 'language'?"
    assert second.line == 3


def test_a_bad_site_leaves_the_policy_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("the running one")
    with pytest.raises(ConfigErrors):
        compile_in_child(_site(tmp_path, "[" * 3000), tmp_path / "policy")
    assert (tmp_path / "policy").read_text() == "the running one"


def test_a_disk_that_refuses_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()  # where a file has to go
    with pytest.raises(StoreError, match="cannot be written"):
        compile_in_child(_site(tmp_path), tmp_path / "policy")


def test_another_catalogue_may_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"categories\.yaml: cannot be read"):
        compile_in_child(_site(tmp_path), tmp_path / "policy", blocklists=tmp_path)


def test_a_child_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_run, "TIME_LIMIT_S", 0.0)
    with pytest.raises(ConfigErrors, match="took more than"):
        compile_in_child(_site(tmp_path), tmp_path / "policy")


def test_a_child_that_dies_is_reported_in_one_line(tmp_path: Path) -> None:
    def dying(*_: object) -> Ended:
        return Ended(-9, b"", b"Traceback\n  ...\nZeroDivisionError: no\n")

    with pytest.raises(ConfigErrors) as caught:
        compile_in_child(_site(tmp_path), tmp_path / "policy", start=dying)
    assert str(caught.value).startswith(f"{tmp_path}: compiling the site failed: ZeroDivision")
    assert "\n" not in str(caught.value)


def test_a_child_that_cannot_be_started_is_a_store_error(tmp_path: Path) -> None:
    def refused(*_: object) -> Ended:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    with pytest.raises(StoreError, match="cannot be started"):
        compile_in_child(_site(tmp_path), tmp_path / "policy", start=refused)


def test_a_site_that_is_wrong_is_compiled_as_it_was_and_what_is_wrong_is_reported(
    tmp_path: Path,
) -> None:
    config, before = _site(tmp_path), tmp_path / "before"
    compile_in_child(config, before)
    (config / "site.yaml").write_text("languag: vi\n")
    wrong = compile_in_child(config, tmp_path / "policy", kept_of=before)
    assert "languag" in str(wrong)
    assert policy_file.load(tmp_path / "policy") == policy_file.load(before)
