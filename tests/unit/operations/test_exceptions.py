# SPDX-License-Identifier: Apache-2.0
"""A change that is asked for is read by ``overrides`` as it was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.exceptions import Allow, Block, Pause, ReadExceptions, Revoke
from filterd.operations.parameters.audience import ChangeAudience
from filterd.operations.parameters.target import read_targets
from filterd.operations.parameters.term import Term
from filterd.overrides.changes.change_fields import ChangeFields
from filterd.overrides.changes.exception_changes import SetException, SetExceptions
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind
from tests.support.policies import NOW

if TYPE_CHECKING:
    from filterd.operations.request import RequestedChange

ROOM = ChangeAudience(Audience.NETWORK, "lab-a")
WHY = "bài học"


@pytest.mark.parametrize("kind", [Allow, Block])
def test_one_target_is_one_exception(kind: type[Allow | Block]) -> None:
    targets = tuple(read_targets(["service:youtube"], opens=kind.opens))
    asked = kind(targets=targets, audience=ROOM, term=Term(ends_at=NOW + 60), reason=WHY)
    name, fields = asked.change
    assert name == "exception"
    assert SetException.read(ChangeFields(fields)) == SetException(
        TargetKind.SERVICE, "youtube", kind.opens, Audience.NETWORK, "lab-a", None, NOW + 60
    )


def test_several_are_one_change() -> None:
    targets = tuple(read_targets(["a.example", "category:games"], opens=False))
    name, fields = Block(targets=targets, term=Term(NOW, for_s=600), reason=WHY).change
    assert name == "exceptions"
    read = SetExceptions.read(ChangeFields(fields))
    assert read.targets == ((TargetKind.NAME, "a.example"), (TargetKind.CATEGORY, "games"))
    assert (read.audience, read.starts_at, read.for_s) == (Audience.EVERYBODY, NOW, 600)


def test_a_program_and_a_form_ask_for_it() -> None:
    values = {"targets": "Tiếng.vn", "for_whom": "class:6A", "term": "lesson"}
    assert _asked(Allow, **values) == {
        "kind": "exception",
        "target_kind": "name",
        "target": "xn--ting-hv5a.vn",
        "allow": True,
        "audience": "class",
        "whom": "6A",
        "lesson": True,  # left to the manager, who knows its end
        "reason": WHY,
    }


def test_the_same_target_counts_once() -> None:
    asked = _asked(Block, targets=["a.example", "service:youtube", "a.example"], for_s=600)
    assert asked["targets"] == [["name", "a.example"], ["service", "youtube"]]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "the duration is missing"),
        ({"for_s": 60, "lesson": True}, "exclude each other"),
        ({"term": "600", "permanent": True}, "exclude each other"),
        ({"for_s": 60, "for_whom": "grade:13"}, "is not a grade"),
        ({"for_s": 60, "targets": ["edu.vn"]}, "all of them would open"),
        ({"for_s": 60, "targets": []}, "1 to 50 values"),
        ({"for_s": 60, "unknown": 1}, "there is no field"),
        ({"for_s": 60, "reason": ""}, "the field reason is missing"),
    ],
)
def test_what_is_wrong_is_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Allow.read({"targets": ["a.example"], "reason": WHY, **values})


def test_an_entry_of_a_list_needs_no_end() -> None:
    assert "ends_at" not in _asked(Allow, targets=["entry:vnu.edu.vn"])


def test_a_pause_and_a_revocation_are_asked_for() -> None:
    assert _asked(Pause, for_s=300, for_whom="network:lab-a")["whom"] == "lab-a"
    assert Revoke.read({"id": "3"}).arguments == {"kind": "revoke", "reason": "", "id": 3}


def test_what_has_ended_is_asked_for_on_request_only() -> None:
    assert [ReadExceptions.read(one).arguments for one in ({}, {"all": "on"})] == [
        {},
        {"all": True},
    ]


def _asked(kind: type[RequestedChange], **values: Any) -> dict[str, Any]:
    return kind.read({**values, "reason": WHY}).arguments
