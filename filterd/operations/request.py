# SPDX-License-Identifier: Apache-2.0
"""Describe what a command of the control socket takes and what it answers.

One frozen dataclass says it for all: a command of ``filterd`` makes one, the API reads one out of
JSON, and the manager reads it again from the socket, within the same bounds.

```
class ReadHistory(
    OperationRequest[tuple[Row, ...]],                     what it answers
    command="history",                                     its name on the socket
    scopes=(TokenScope.ALL_READ,),                         which API tokens may send it
):
    limit: Annotated[int, Whole(1, 1_000)] = 20            no default: it must be there
    term: Annotated[Term, TERM_FIELDS]                     several fields that make one value
```
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from filterd.base.errors import ControlError
from filterd.base.state_file import Decoders, to_plain
from filterd.base.value_class import frozen
from filterd.operations.parameters.command_word import CommandWord
from filterd.operations.parameters.scalar import Fields, Parameter, Text
from filterd.overrides.changes.change_fields import MAX_REASON
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.accounts.grant import TokenScope
    from filterd.base.state_file import Decoder

AnswerT = TypeVar("AnswerT")

CHANGE_COMMAND = "change"
_OF_EACH = ("reason", "permanent")
"""What a kind of change does not read: each has a reason, and no end is one left out."""
REASON = Text(MAX_REASON, about="Why, for the history")
Reason = Annotated[str, REASON, CommandWord("TEXT", "Reason, for the history.")]
"""The reason of a change."""


@runtime_checkable
class Compound(Protocol):
    """Several parameters that make one value.

    Where the socket has it otherwise than programs, ``sent`` has the parameters there; those in
    ``required`` must be there.
    """

    @property
    def named(self) -> Mapping[str, Parameter]:
        """The parameters."""

    def take(self, given: dict[str, Any]) -> Any:
        """Take them out of checked values, and return the value.

        Raises:
            ConfigError: they make none.
        """

    def arguments(self, value: Any) -> dict[str, Any]:
        """Return what the socket has of the value."""


class Part:
    """Several fields that requests share, as one value: a request without a command."""

    def __init__(self, kind: type[OperationRequest[Any]]) -> None:
        self.take = kind.of
        self._kind = kind

    @property
    def named(self) -> Mapping[str, Parameter]:
        """The fields."""
        return self._kind.fields().named

    def arguments(self, value: OperationRequest[Any]) -> dict[str, Any]:
        """Return what the socket has of the value."""
        return value.arguments


class _Told(TypedDict, total=False):
    """What a class of requests says of itself, and the kind of a change."""

    command: str
    kind: str
    scopes: tuple[TokenScope, ...]
    is_guarded: bool
    is_open: bool
    is_of_session: bool


class RequestField(NamedTuple):
    """A field of a request.

    Attributes:
        name, key: in the class, on the socket.
        type: of its values.
        kind: what reads it.
        default: ``MISSING`` for none.
        word: how a command writes it; None for not at all.
    """

    name: str
    key: str
    type: Any
    kind: Parameter | Compound
    default: Any
    word: CommandWord | None = None


class OperationRequest(Generic[AnswerT]):
    """The arguments of a command; see above for a subclass.

    Attributes:
        command: its name on the socket.
        scopes: of the API tokens that may send it; one of ``all`` may send more (``scopes``).
        is_guarded: whether a session gives its password again for it, and no token may send it.
        is_open: whether a browser may send it without a session.
        is_of_session: whether it is about the session itself, so that no token may send it.
    """

    __slots__ = ()
    command: ClassVar[str] = ""
    scopes: ClassVar[tuple[str, ...]] = ()
    is_guarded: ClassVar[bool] = False
    is_open: ClassVar[bool] = False
    is_of_session: ClassVar[bool] = False

    def __init_subclass__(cls, **told: Unpack[_Told]) -> None:
        """Keep what a class says of itself; ``dataclass`` makes it again, without that."""
        super().__init_subclass__()
        for name, value in told.items():
            setattr(cls, name, value)

    @classmethod
    def sent_as(cls) -> tuple[str, ...]:
        """Return its keys in ``scopes``: the command, of a change with its kind."""
        return (cls.command,)

    @classmethod
    def needs_password(cls, given: Mapping[str, Any]) -> bool:
        """Return whether it is guarded with these arguments, which are not checked yet."""
        del given
        return cls.is_guarded

    @classmethod
    def fields(cls) -> Fields:
        """Return what a program sends."""
        return _shape(cls).fields

    @classmethod
    def sent_fields(cls) -> Fields:
        """Return what a face sends to the manager: ``sent`` of a compound that has it."""
        return _shape(cls).sent

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the request with these checked values, which are taken.

        Raises:
            ConfigError: they do not go together.
        """
        made = {}
        for member in _shape(cls).members:
            if isinstance(member.kind, Compound):
                made[member.name] = member.kind.take(values)
            elif member.key in values:
                value = values.pop(member.key)
                made[member.name] = tuple(value) if isinstance(value, list) else value
        return cls(**made)

    @classmethod
    def read(cls, given: Any) -> Self:
        """Return the request that a program sent.

        Raises:
            ConfigError: a field is wrong, unknown or missing.
        """
        return cls.of(cls.fields().read(given))

    @classmethod
    def read_sent(cls, given: Any) -> Self:
        """Return the request that a face sent; see ``read``."""
        return cls.of(cls.sent_fields().read(given))

    @property
    def arguments(self) -> dict[str, Any]:
        """What the socket has of it, without what the class has by default."""
        return _arguments(self)

    @classmethod
    def answer_of(cls, plain: Any) -> AnswerT:
        """Return the answer that the socket has as plain data.

        Raises:
            ControlError: the daemon is of another version.
        """
        decode = _shape(cls).decoder
        if decode is None:
            return cast("AnswerT", plain)
        try:
            return cast("AnswerT", decode(plain))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ControlError(say("filterd has another version; restart it")) from error


@frozen(kw_only=True)
class RequestedChange(OperationRequest[dict[str, Any]], command=CHANGE_COMMAND):
    """A change of what is in force, of a kind of ``overrides.changes.change_kinds``."""

    kind: ClassVar[str] = ""
    reason: Reason = ""

    @classmethod
    def sent_as(cls) -> tuple[str, ...]:
        """Return its keys in ``scopes``."""
        return (f"{CHANGE_COMMAND} {cls.kind}",)

    @property
    def change(self) -> tuple[str, dict[str, Any]]:
        """The kind of change, and what the class that ``overrides`` has for it reads."""
        made = _arguments(self)
        return self.kind, {key: one for key, one in made.items() if key not in _OF_EACH}

    @property
    def arguments(self) -> dict[str, Any]:
        """What the socket has of it."""
        kind, fields_of_kind = self.change
        return {**fields_of_kind, "kind": kind, "reason": self.reason}


def written(kind: type[OperationRequest[Any]]) -> tuple[RequestField, ...]:
    """Return the fields that a command writes, the reason last."""
    return tuple(member for member in _shape(kind).members if member.word is not None)


def _arguments(request: OperationRequest[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for member in _shape(type(request)).members:
        value = getattr(request, member.name)
        if isinstance(member.kind, Compound):
            made |= member.kind.arguments(value)
        elif value is not None and (member.default is MISSING or value != member.default):
            made[member.key] = to_plain(value)
    return made


def answer_type(kind: type[OperationRequest[Any]]) -> Any:
    """Return the type of a request's answers."""
    for base in kind.__mro__:
        for one in getattr(base, "__orig_bases__", ()):
            if get_origin(one) is OperationRequest:
                return get_args(one)[0]
    return Any


class _Shape(NamedTuple):
    """What is worked out once of a class of requests."""

    members: tuple[RequestField, ...]
    fields: Fields
    sent: Fields
    decoder: Decoder | None


_SHAPES: dict[type[OperationRequest[Any]], _Shape] = {}


def _shape(kind: type[OperationRequest[Any]]) -> _Shape:
    if kind not in _SHAPES:
        members = tuple(sorted(_members(kind), key=lambda member: member.key == "reason"))
        _SHAPES[kind] = _Shape(
            members, _fields(members, "named"), _fields(members, "sent"), _decoder(kind)
        )
    return _SHAPES[kind]


def _members(kind: Any) -> Iterator[RequestField]:
    """Yield the fields of a request; ``class_`` is ``class`` on the socket."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        assert get_origin(hints[field.name]) is Annotated, (
            f"{kind}: {field.name} names no parameter"
        )
        type_, reader, *word = get_args(hints[field.name])
        yield RequestField(field.name, field.name.rstrip("_"), type_, reader, field.default, *word)


def _fields(members: Iterable[RequestField], where: str) -> Fields:
    named: dict[str, Parameter] = {}
    required: list[str] = []
    for member in members:
        if isinstance(member.kind, Compound):
            of_kind = getattr(member.kind, where, member.kind.named)
            named |= of_kind
            required += (name for name in getattr(member.kind, "required", ()) if name in of_kind)
            continue
        named[member.key] = member.kind
        if member.default is MISSING:
            required.append(member.key)
    return Fields(named, tuple(required))


def _decoder(kind: type[OperationRequest[Any]]) -> Decoder | None:
    """Return what makes an answer of plain data; None where it stays plain."""
    answer = answer_type(kind)
    is_plain = answer is Any or Any in get_args(answer)
    return None if is_plain else Decoders({}).of(answer)
