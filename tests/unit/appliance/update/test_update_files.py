# SPDX-License-Identifier: Apache-2.0
"""The files of an update are root's, and all may read what is no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.appliance.update.update_files import PendingUpdate, UpdateFiles, UpdateStep
from filterd.appliance.update.update_watch import ServedBefore
from filterd.base.errors import NoTrustError
from filterd.texts.i18n import say
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from pathlib import Path

PENDING = PendingUpdate(
    "1.1.0", "1.0.0", "boot", UpdateStep.WATCH, 1, ServedBefore(("bet.example",), 0.1)
)


def test_an_update_that_has_begun_is_read_again(tmp_path: Path) -> None:
    files = UpdateFiles(tmp_path / "install")
    assert files.read_pending() is None
    files.keep(PENDING)
    assert files.read_pending() == PENDING


def test_what_is_cleared_is_gone_and_may_be_cleared_again(tmp_path: Path) -> None:
    files = UpdateFiles(tmp_path)
    files.keep(PENDING)
    files.package.write_bytes(b"package")
    files.program.symlink_to(tmp_path)
    files.clear()
    files.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_no_update_that_has_begun(tmp_path: Path) -> None:
    files = UpdateFiles(tmp_path)
    files.keep(PENDING)
    files.pending.write_bytes(files.pending.read_bytes().replace(b"1.1.0", b"9.9.9"))
    assert files.read_pending() is None


def test_the_root_is_given_once_and_others_may_read_it(tmp_path: Path) -> None:
    files = UpdateFiles(tmp_path / "install")
    one, other = Publisher(tmp_path / "one").root, Publisher(tmp_path / "other").root
    files.establish(one, replace=False)
    files.establish(one, replace=False)
    assert files.trust.root.stat().st_mode & 0o777 == 0o644
    assert files.trust.folder.stat().st_mode & 0o777 == 0o755
    with pytest.raises(NoTrustError):
        files.establish(other, replace=False)
    files.establish(other, replace=True)
    assert files.trust.given() == other


def test_a_reason_is_kept_as_a_sentence(tmp_path: Path) -> None:
    files = UpdateFiles(tmp_path)
    pending = PendingUpdate("1", "0", "boot", why=say("port 53 does not answer"))
    files.keep(pending)
    assert files.read_pending() == pending
