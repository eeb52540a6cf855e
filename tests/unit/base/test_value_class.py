# SPDX-License-Identifier: Apache-2.0
"""A frozen class is what a frozen dataclass with slots is; its methods are compiled later."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import pytest

from filterd.base.value_class import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

ValueT = TypeVar("ValueT")


def _room(how: Callable[[Any], Any]) -> Any:
    @how
    class Room:
        """A room."""

        kind: ClassVar[str] = "room"
        name: str
        macs: tuple[str, ...] = ()
        notes: list[str] = field(default_factory=list, compare=False)

        @property
        def label(self) -> str:
            return f"{self.kind} {self.name}"

    return Room


BOTH = pytest.mark.parametrize(
    "kind", [_room(frozen), _room(dataclass(frozen=True, slots=True))], ids=["frozen", "dataclass"]
)


@BOTH
def test_values_are_made_compared_and_shown_by_their_fields(kind: Any) -> None:
    one = kind("lab", macs=("a",))
    assert (one.name, one.macs, one.notes, one.label) == ("lab", ("a",), [], "room lab")
    assert one == kind("lab", ("a",), ["seen"])
    assert one != kind("lab")
    assert one != "lab"
    assert hash(one) == hash(kind("lab", ("a",), ["seen"]))
    assert repr(one).endswith("Room(name='lab', macs=('a',), notes=[])")
    assert kind("a").notes is not kind("b").notes


@BOTH
def test_a_copy_is_equal_and_not_the_same(kind: Any) -> None:
    one = kind("lab", ("a",), ["seen"])
    other = deepcopy(one)
    assert other == one
    assert other.notes == ["seen"]
    assert other.notes is not one.notes


@BOTH
def test_dataclasses_know_it(kind: Any) -> None:
    assert [one.name for one in fields(kind)] == ["name", "macs", "notes"]
    assert asdict(kind("lab")) == {"name": "lab", "macs": (), "notes": []}
    assert replace(kind("lab"), name="hall") == kind("hall")
    match kind("lab", ("a",)):
        case kind(name, macs):
            assert (name, macs) == ("lab", ("a",))


@BOTH
def test_nothing_of_a_value_changes(kind: Any) -> None:
    one = kind("lab")
    with pytest.raises(FrozenInstanceError):
        one.name = "hall"
    with pytest.raises(FrozenInstanceError):
        del one.name
    with pytest.raises((FrozenInstanceError, TypeError)):
        one.other = 1
    assert not hasattr(one, "__dict__")


@BOTH
def test_a_missing_and_an_unknown_field_are_refused(kind: Any) -> None:
    for given in ({}, {"name": "lab", "other": 1}):
        with pytest.raises(TypeError, match=r"name|other"):
            kind(**given)


@frozen(kw_only=True)
class _Thing(Generic[ValueT]):
    at: int = 0

    def __post_init__(self) -> None:
        if self.at < 0:
            raise ValueError(self.at)


@frozen(kw_only=True)
class _NamedThing(_Thing[str]):
    name: str


def test_a_class_that_inherits_has_the_fields_and_checks_of_both() -> None:
    assert _NamedThing(name="a", at=1) == _NamedThing(at=1, name="a")
    assert _NamedThing(name="a") != _Thing()
    assert _Thing[int](at=2).at == 2
    for kind in (_Thing, lambda at: _NamedThing(name="a", at=at)):
        with pytest.raises(ValueError, match="-1"):
            kind(at=-1)


def test_methods_that_a_class_has_itself_stay() -> None:
    @frozen
    class Name:
        text: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Name) and other.text.lower() == self.text.lower()

        def __hash__(self) -> int:
            return 1

        def __repr__(self) -> str:
            return self.text

    assert Name("A") == Name("a")
    assert (repr(Name("A")), hash(Name("A"))) == ("A", 1)


def test_values_without_equality_are_themselves_alone() -> None:
    @frozen(eq=False)
    class Seat:
        number: int

    one = Seat(1)
    assert one != Seat(1)
    assert len({one, one, Seat(1)}) == 2


def test_a_method_is_compiled_when_it_is_first_called_and_only_then() -> None:
    kind = _room(frozen)
    compiled = {name: vars(kind)[name].__code__.co_filename == "<string>" for name in _METHODS}
    assert compiled == dict.fromkeys(_METHODS, False)
    one = kind("lab")
    assert vars(kind)["__init__"].__code__.co_filename == "<string>"
    assert vars(kind)["__eq__"].__code__.co_filename != "<string>"
    assert one == kind("lab")
    assert vars(kind)["__eq__"].__code__.co_filename == "<string>"


_METHODS = ("__init__", "__repr__", "__eq__", "__hash__")
