# SPDX-License-Identifier: Apache-2.0
"""A request is the same for a command, a program and the manager."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest

from filterd.base.errors import ConfigError, ControlError
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import Several, Text, Whole
from filterd.operations.parameters.term import Term, TermFields
from filterd.operations.request import (
    REASON,
    OperationRequest,
    Part,
    RequestedChange,
    answer_type,
)


@frozen
class Seen:
    """An answer."""

    names: tuple[str, ...]


@frozen(kw_only=True)
class Look(OperationRequest[Seen], command="look"):
    """A request with each kind of field."""

    class_: Annotated[str, Text(3)]
    names: Annotated[tuple[str, ...], Several(Text(9), 2)] = ()
    most: Annotated[int | None, Whole(1, 5)] = None
    term: Annotated[Term, TermFields(may_be_open=True)]


@frozen(kw_only=True)
class Move(RequestedChange, kind="move"):
    """A change, whose reason must be there."""

    to: Annotated[str, Text(9)] = ""
    reason: Annotated[str, REASON]


class InHex:
    """A text that is hexadecimal on the socket."""

    named: ClassVar[dict[str, Any]] = {"name": Text(9)}
    sent: ClassVar[dict[str, Any]] = {"hex": Text(9)}

    def take(self, given: dict[str, Any]) -> str:
        return given.pop("name", "") or bytes.fromhex(given.pop("hex", "")).decode()

    def arguments(self, value: str) -> dict[str, Any]:
        return {"hex": value.encode().hex()}


@frozen(kw_only=True)
class Shared(OperationRequest[Any]):
    """Fields that several requests have."""

    grade: Annotated[str, Text(3)] = ""


@frozen(kw_only=True)
class Find(OperationRequest[Any], command="find"):
    """A request of parts."""

    name: Annotated[str, InHex()]
    shared: Annotated[Shared, Part(Shared)]


def test_its_fields_are_those_of_the_class_and_of_what_several_make() -> None:
    found = Look.fields()
    assert [*found.named][:3] == ["class", "names", "most"]
    assert {"for_s", "lesson", "ends_at"} <= found.named.keys()
    assert (found.required, Move.fields().required) == (("class",), ("reason",))


def test_the_manager_reads_what_the_face_sent() -> None:
    sent = Look.read({"class": "6A", "names": "a\nb", "for_s": "60"})
    assert sent == Look(class_="6A", names=("a", "b"), term=Term(for_s=60))
    assert sent.arguments == {"class": "6A", "names": ["a", "b"], "for_s": 60}
    assert Look.read(sent.arguments) == sent


def test_the_socket_may_have_a_part_in_another_form() -> None:
    asked = Find.read({"name": "a", "grade": "6"})
    assert asked == Find(name="a", shared=Shared(grade="6"))
    assert asked.arguments == {"hex": "61", "grade": "6"}
    assert Find.read_sent(asked.arguments) == asked
    for read, given in ((Find.read, {"hex": "61"}), (Find.read_sent, {"name": "a"})):
        with pytest.raises(ConfigError, match="there is no field"):
            read(given)


def test_a_change_has_its_kind_and_its_reason() -> None:
    asked = Move.read({"to": "lab-a", "reason": "x"})
    assert (asked.command, asked.change) == ("change", ("move", {"to": "lab-a"}))
    assert asked.arguments == {"kind": "move", "to": "lab-a", "reason": "x"}


@pytest.mark.parametrize("given", [{}, {"class": "6AAA"}, {"class": "6A", "most": 9}, {"x": 1}, 3])
def test_what_is_out_of_bounds_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError):
        Look.read(given)


def test_an_answer_has_its_type() -> None:
    assert Look.answer_of({"names": ["a"]}) == Seen(("a",))
    assert answer_type(Look) is Seen
    assert Move.answer_of({"number": 3}) == {"number": 3}


@pytest.mark.parametrize("plain", [None, {}, {"names": 3}, {"names": ["a"], "more": 1}])
def test_an_answer_of_another_version_is_said_to_be_one(plain: Any) -> None:
    with pytest.raises(ControlError, match="another version"):
        Look.answer_of(plain)
