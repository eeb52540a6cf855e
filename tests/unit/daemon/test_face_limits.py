# SPDX-License-Identifier: Apache-2.0
"""Processes that people reach by a browser act for a person, or not at all."""

from __future__ import annotations

import pwd
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from filterd.control.frames import ControlRequest
from filterd.daemon.control_caller import A_FACE, Caller, Quota
from filterd.daemon.face_limits import acts_for_a_person, check_address, check_face, face_uids
from filterd.errors import ControlError

if TYPE_CHECKING:
    from typing import Any

PAGE = Caller(991, "filterd-blockpage", frozenset({"filterd-page"}))
WEB = Caller(990, "filterd-web", frozenset({"filterd-web"}))
ROOT = Caller(0, "root", frozenset())


def test_the_pupils_page_asks_for_nothing_else() -> None:
    check_face(PAGE, "page-why")
    for command in ("status", "pages", "change", ""):
        with pytest.raises(ControlError):
            check_face(PAGE, command)
        check_face(WEB, command)


def test_a_person_counts_where_one_is_named_or_the_web_asks() -> None:
    plain = ControlRequest("status", {})
    assert not acts_for_a_person(ROOT, plain)
    assert acts_for_a_person(WEB, plain)
    assert acts_for_a_person(ROOT, plain._replace(address="10.0.1.5"))
    assert acts_for_a_person(ROOT, plain._replace(act_for="x"))


def test_no_other_user_says_from_where_it_asks() -> None:
    for caller in (PAGE, WEB, ROOT):
        check_address(caller, "10.0.1.5")
    teacher = Caller(1001, "mai", frozenset({"filterd-teacher"}))
    check_address(teacher, "")
    with pytest.raises(ControlError, match="another device"):
        check_address(teacher, "10.0.1.5")


def test_each_has_a_share_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(name: str) -> Any:
        if name == "filterd-web":
            return SimpleNamespace(pw_uid=990)
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", known)
    assert face_uids() == (990,)
    quota = Quota(989, face_uids())
    shares = [quota.take(990) for _ in range(A_FACE.connections)]
    for share in shares:
        assert share is not None
        share.has_asked()
    assert quota.take(990) is None
    assert quota.take(0) is not None
    assert quota.take(1001) is not None
