# SPDX-License-Identifier: Apache-2.0
"""A change that is made here is read by ``overrides`` as it was meant."""

from __future__ import annotations

import pytest

from filterd.operations.exceptions import set_exceptions
from filterd.operations.parameters.audience import ChangeAudience
from filterd.operations.parameters.target import read_targets
from filterd.operations.parameters.term import Term
from filterd.overrides.change_fields import ChangeFields
from filterd.overrides.exception_changes import SetException, SetExceptions
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind
from tests.support.policies import NOW

ROOM = ChangeAudience(Audience.NETWORK, "lab-a")


@pytest.mark.parametrize("allow", [True, False])
def test_one_target_is_one_exception(allow: bool) -> None:
    (target,) = read_targets(["service:youtube"], opens=allow)
    kind, fields = set_exceptions([target], ROOM, Term(ends_at=NOW + 60), allow=allow)
    assert kind == "exception"
    assert SetException.read(ChangeFields(fields)) == SetException(
        TargetKind.SERVICE, "youtube", allow, Audience.NETWORK, "lab-a", None, NOW + 60
    )


def test_several_are_one_change() -> None:
    targets = read_targets(["a.example", "category:games"], opens=False)
    kind, fields = set_exceptions(targets, ChangeAudience(), Term(NOW, for_s=600), allow=False)
    assert kind == "exceptions"
    read = SetExceptions.read(ChangeFields(fields))
    assert read.targets == ((TargetKind.NAME, "a.example"), (TargetKind.CATEGORY, "games"))
    assert (read.audience, read.starts_at, read.for_s) == (Audience.EVERYBODY, NOW, 600)


def test_the_lesson_is_left_to_the_manager_who_knows_its_end() -> None:
    (target,) = read_targets(["a.example"], opens=True)
    _, fields = set_exceptions([target], ROOM, Term(lesson=True), allow=True)
    assert fields["lesson"] is True
