# SPDX-License-Identifier: Apache-2.0
"""The control socket lets groups in that are not its own, and nobody else."""

from __future__ import annotations

import errno
import grp
import os
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from filterd.daemon.control_access import let_in
from tests.support.asking_as import as_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, OWN = 65_533, 65_533
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A socket that somebody listens on, in folders that everybody may enter."""
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        (tmp_path / "s").chmod(0o660)
        yield tmp_path / "s"


def can_connect(path: Path, *groups: str) -> bool:
    """Return whether a user of these groups may open it."""

    def connects() -> bool:
        with closing(socket.socket(socket.AF_UNIX)) as one:
            return one.connect_ex(str(path)) == 0

    numbers = [grp.getgrnam(one).gr_gid for one in groups]
    told: bool = as_user(USER, [OWN, *numbers], connects)
    return told


@needs_root
def test_members_of_these_groups_are_let_in_and_others_are_not(path: Path) -> None:
    if not let_in(path, ["daemon", "games", "no-such-group"]):
        pytest.skip("no access lists on this disk")
    assert can_connect(path, "daemon")
    assert can_connect(path, "mail", "games")
    assert not can_connect(path, "mail")
    assert not can_connect(path)


@needs_root
def test_control_without_it_they_are_not(path: Path) -> None:
    assert not can_connect(path, "daemon")


def test_where_there_are_no_such_groups_the_mode_says_the_same_as_before(path: Path) -> None:
    let_in(path, ["no-such-group"])
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_disk_without_access_lists_is_told_and_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "setxattr", refuse)
    assert not let_in(path, ["daemon"])
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_socket_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        let_in(tmp_path / "s", [])
