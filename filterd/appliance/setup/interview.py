# SPDX-License-Identifier: Apache-2.0
"""Keep a set-up between two questions, and its answers in files.

It holds what was found, what the site has, and what was answered.

A question is data (``SetupQuestion``; all of them are in ``questions``). One with ``items`` is
asked for each of them, ``seat 192.168.6.0/24``. The answers are one dictionary of texts, by
id. A person's file of answers is YAML with the same keys; a value is an answer or a list of
answers, as they would be typed. The state folder has those of an interrupted set-up, or of the
last one that was finished. Nothing here prints or asks.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.appliance.setup import school_answers as read
from filterd.base.errors import ConfigError
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.documents import load
from filterd.policy import field_checks
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Answers = dict[str, str]
"""By id of the question, and for one with items by id, a space, and the item."""

MOVED = "moved"
"""The key in ``Interview.before`` for the names of an old machine, with spaces between them."""
BY_DEVICE, ONE_TIER, RANGES = "by-device", "one-tier", "ranges"
NONE = "-"
"""Typed for none, where Enter would take something."""
_LONGEST = 200


class SchoolLink(NamedTuple):
    """A network of the school that this machine is in.

    The fields are its range, the interface, and this machine's own address.
    """

    cidr: str
    interface: str
    address: str


class OfferedUpstream(NamedTuple):
    """An upstream that was found and tried; ``answer`` is what chooses it."""

    answer: str
    about: Sentence
    works: bool


class SetupChoice(NamedTuple):
    """One choice of a question: what is kept, and its text."""

    answer: str
    text: Sentence


@frozen
class Machine:
    """What was found on this machine and its networks, for defaults and conditions.

    Attributes:
        links: the networks of the school's side.
        outward: interfaces on which a default route leads out.
        router: the address behind it, empty for none.
        upstreams: found and tried.
        dhcp: the addresses of DHCP servers that hand out another DNS than this machine.
        advertised: the addresses of routers that announce another DNS by IPv6.
        lease_file: of a DHCP server on this machine, empty for none.
        users: of this machine, who may administer.
        user: who runs the set-up.
        devices: those on the school's links, by MAC.
        probe_dhcp: looks for such DHCP servers again.
        read_table: reads a file of classes.
    """

    links: tuple[SchoolLink, ...] = ()
    outward: tuple[str, ...] = ()
    router: str = ""
    upstreams: tuple[OfferedUpstream, ...] = ()
    dhcp: tuple[str, ...] = ()
    advertised: tuple[str, ...] = ()
    lease_file: str = ""
    users: tuple[str, ...] = ()
    user: str = ""
    devices: tuple[SetupChoice, ...] = ()
    probe_dhcp: Callable[[], tuple[str, ...]] = tuple
    read_table: Callable[[Path], list[list[str]]] | None = None

    @property
    def networks(self) -> tuple[SchoolLink, ...]:
        """One link of each range, without IPv6 prefixes beside an IPv4 network.

        Such prefixes are of the same devices, and so is a second address of this machine.
        """
        inner = {link.interface for link in self.links if "." in link.cidr}
        shown = (link for link in self.links if "." in link.cidr or link.interface not in inner)
        first = dict[str, SchoolLink]()
        for one in shown:
            first.setdefault(one.cidr, one)
        return tuple(first.values())

    def beside(self, cidr: str) -> tuple[str, ...]:
        """Return the IPv6 prefixes on the interface of an IPv4 network."""
        on = {link.interface for link in self.links if link.cidr == cidr}
        named = {network.cidr for network in self.networks}
        return tuple(
            link.cidr for link in self.links if link.interface in on and link.cidr not in named
        )


@frozen
class Interview:
    """A set-up between two questions.

    Attributes:
        machine: what was found.
        before: the answers that the site has already: defaults.
        answers: those given now.
    """

    machine: Machine
    before: dict[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)

    def get(self, key: str) -> str:
        """Return an answer, empty where it has not been asked."""
        return self.answers.get(key, "")

    def go_back(self) -> bool:
        """Take the last answer back, and return whether there was one.

        It is the default when it is asked again.
        """
        if not self.answers:
            return False
        key, text = self.answers.popitem()
        self.before[key] = text
        return True

    @property
    def moved_names(self) -> tuple[str, ...]:
        """The names of the old machine that are asked for, where a site moves here."""
        return tuple(self.before.get(MOVED, "").split())

    @property
    def classes(self) -> dict[str, str]:
        """The grade of each class."""
        return {one.name: one.grade for one in read.classes_of(self.get("classes"))}

    @property
    def networks(self) -> tuple[str, ...]:
        """The ranges that are networks of their own."""
        return (*read.networks_of(self.get("networks")), *read.networks_of(self.get("ranges")))

    @property
    def links(self) -> tuple[SchoolLink, ...]:
        """The IPv4 links of this machine that are networks of the school."""
        named = read.networks_of(self.get("networks"))
        return tuple(link for link in self.machine.links if link.cidr in named and "." in link.cidr)

    @property
    def is_one_seat(self) -> bool:
        """Whether the whole LAN is for the youngest class, so that no seat is asked."""
        return self.get("flat") in (BY_DEVICE, ONE_TIER) and bool(self.classes)

    @property
    def seats(self) -> dict[str, str]:
        """The use of each network: as answered, or of the whole LAN."""
        if self.is_one_seat:
            return dict.fromkeys(self.networks, self.youngest)
        return {cidr: found for cidr in self.networks if (found := self.get(f"seat {cidr}"))}

    @property
    def youngest(self) -> str:
        """The grade of the youngest class, or of the youngest who have a network."""
        seated = (text for key, text in self.answers.items() if key.startswith("seat "))
        return read.youngest((*self.classes.values(), *seated))


def _same(text: str, _: Interview) -> str:
    return text


def _always(_: Interview) -> bool:
    return True


def _none(_: Interview) -> str | None:
    return None


def _no_choices(_: Interview) -> tuple[SetupChoice, ...]:
    return ()


@frozen
class SetupQuestion:
    """One question.

    Attributes:
        id: the key of its answer.
        text: what is asked; ``{item}`` is the item.
        help: shown above it.
        check: returns the answer in its usual form, or raises ConfigError with an example.
        default: the answer of an empty line; None where there must be one, "" for none.
        asked: the condition.
        choices: shown beneath it with numbers. Without ``is_open`` there are no others.
        items: for each of which it is asked.
    """

    id: str
    text: Sentence
    help: Sentence = UNSAID
    check: Callable[[str, Interview], str] = _same
    default: Callable[[Interview], str | None] = _none
    asked: Callable[[Interview], bool] = _always
    choices: Callable[[Interview], tuple[SetupChoice, ...]] = _no_choices
    is_open: bool = False
    items: Callable[[Interview], tuple[str, ...]] | None = None


class PendingQuestion(NamedTuple):
    """A question that is to be asked now, for one of its items if it has some."""

    question: SetupQuestion
    item: str
    interview: Interview

    @property
    def key(self) -> str:
        """The key of its answer."""
        return f"{self.question.id} {self.item}" if self.item else self.question.id

    @property
    def text(self) -> Sentence:
        """What is asked."""
        text = self.question.text
        return text.filled({**text.values, "item": self.item}) if self.item else text

    @property
    def choices(self) -> tuple[SetupChoice, ...]:
        """Its choices, if it has some."""
        return self.question.choices(self.interview)

    @property
    def default(self) -> str | None:
        """The answer of an empty line: the site's, else what was found."""
        before = self.interview.before.get(self.key)
        return self.question.default(self.interview) if before is None else before

    def accept(self, text: str) -> None:
        """Check an answer and keep it; an empty one is the default.

        Raises:
            ConfigError: it is none; the hint has an example.
        """
        text = field_checks.plain(" ".join(text.split()), say("the answer"))
        typed = text or self.default
        if typed is None:
            raise ConfigError(say("an answer is needed here"), hint=_example(self.choices))
        if len(typed) > _LONGEST and not self.question.is_open:
            raise ConfigError(say("that is too long"), hint=say("at most 200 characters"))
        if typed == NONE and not self.item:
            typed = ""
        elif self.choices:
            typed = _chosen(typed, self.choices, is_open=self.question.is_open)
        if typed or self.default != "":
            typed = self.question.check(typed, self.interview)
        self.interview.answers[self.key] = typed


def _chosen(typed: str, choices: tuple[SetupChoice, ...], *, is_open: bool) -> str:
    """Return the answer of a choice for its number, or for its own text."""
    by_word = {choice.answer.casefold(): choice.answer for choice in choices}
    by_word |= {str(number): choice.answer for number, choice in enumerate(choices, 1)}
    if is_open:
        return ", ".join(by_word.get(word.casefold(), word) for word in read.words_of(typed))
    if typed.casefold() not in by_word:
        raise ConfigError(
            say("'{word}' is not one of the choices", word=typed), hint=_example(choices)
        )
    return by_word[typed.casefold()]


def _example(choices: tuple[SetupChoice, ...]) -> Sentence:
    if not choices:
        return say("write it, then press Enter")
    return say("such as: {example}", example=choices[0].answer)


_LARGEST = 1 << 20


@frozen
class KeptAnswers:
    """The answers so far; ``is_done`` where the set-up was finished with them."""

    answers: dict[str, str]
    is_done: bool = False


KEPT = FileFormat(
    KeptAnswers,
    magic=b"filterd setup ",
    title=say("file of answers"),
    remedy=say("run `filterd setup` again"),
    most_octets=_LARGEST,
)


def load_answers(path: Path) -> Answers:
    """Return the answers of a file that a person wrote.

    Raises:
        ConfigError: it cannot be read, is no YAML, or has something that is no answer.
    """
    document = load(path, as_text=True)
    if not isinstance(document.data, dict):
        raise document.error(
            say("this is not a file of answers"), (), hint=say("such as: school: Nguyen Du")
        )
    return {key: _text(value, key, str(path)) for key, value in document.data.items()}


def _text(value: Any, key: str, path: str) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one, key, path) for one in value)
    if isinstance(value, dict):
        raise ConfigError(
            say("{key}: text expected, not {value}", key=key, value=str(value)[:40]),
            path=path,
            hint=say("write it as you would type it"),
        )
    return str(value)
