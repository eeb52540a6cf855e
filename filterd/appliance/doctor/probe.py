# SPDX-License-Identifier: Apache-2.0
"""Describe what a probe reads of a gateway, and what it finds.

It reads one site, one daemon and one network, gathered once before the probes run. What could not
be read is the reason why, and each probe that needs it then cannot look. A probe that cannot look
does not report that all is well: its outcome is ``UNSEEN``, with the reason.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filterd.base.clock import Clock, SystemClock
from filterd.base.errors import TellableError
from filterd.base.value_class import frozen
from filterd.policy.model import UpstreamServer
from filterd.texts import i18n
from filterd.texts.i18n import Sentence
from filterd.upstream import resolv_conf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.appliance.local_network import LocalNetwork
    from filterd.policy.model import Policy

T = TypeVar("T")


@frozen
class ExaminedSite:
    """The site, the daemon and the network of an examination.

    Each may instead be the reason why it is not known.

    Attributes:
        folder: the state folder.
        policy_or_why: the policy in force.
        status_or_why: what ``filterd status --json`` prints.
        network_or_why: the network of this machine.
        feed: what ``feed.standing.overview`` returns; empty where it is not known.
        ask_daemon: asks the daemon, as ``control.ask`` does behind its path.
        root: where /proc and /sys are.
        is_running: whether a daemon runs, be it only for other users.
        named_or_why: the policy that names what is connected to, where that is not the one in
            force: root connects to nothing that only the daemon names.
    """

    folder: Path
    policy_or_why: Policy | Sentence
    status_or_why: Mapping[str, Any] | Sentence
    network_or_why: LocalNetwork | Sentence
    ask_daemon: Callable[..., Any]
    feed: Mapping[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    root: Path = Path("/")
    is_running: bool = True
    named_or_why: Policy | Sentence | None = None

    @property
    def policy(self) -> Policy:
        """The policy in force.

        Raises:
            UnseenError: there is none.
        """
        return _known(self.policy_or_why)

    @property
    def named(self) -> Policy:
        """The policy that names what is connected to.

        Raises:
            UnseenError: there is none.
        """
        return self.policy if self.named_or_why is None else _known(self.named_or_why)

    @property
    def upstreams(self) -> tuple[UpstreamServer, ...]:
        """The upstreams of the site; those of resolv.conf where the site is not known."""
        if isinstance(self.policy_or_why, Sentence):
            return resolv_conf.servers((UpstreamServer("system"),), ())
        return resolv_conf.servers(self.named.upstreams, self.named.listen)

    @property
    def status(self) -> Mapping[str, Any]:
        """The status of the daemon.

        Raises:
            UnseenError: none answers.
        """
        return _known(self.status_or_why)

    @property
    def network(self) -> LocalNetwork:
        """The network of this machine.

        Raises:
            UnseenError: it cannot be read.
        """
        return _known(self.network_or_why)

    def ask(self, command: str, **arguments: Any) -> Any:
        """Return the daemon's answer to a command.

        Raises:
            UnseenError: none answers.
            FilterdError: the command fails.
        """
        _known(self.status_or_why)
        return self.ask_daemon(command, **arguments)

    @property
    def is_serving(self) -> bool:
        """Whether a daemon answers."""
        return not isinstance(self.status_or_why, Sentence)


def _known(value: T | Sentence) -> T:
    if isinstance(value, Sentence):
        raise UnseenError(value)
    return value


class ProbeOutcome(StrEnum):
    """The result of a probe."""

    FOUND = "found"
    CLEAN = "clean"
    UNSEEN = "unseen"


class UnseenError(TellableError):
    """The administrator must act: a probe cannot look, because..."""

    code = "unseen"


class ProbeFinding(NamedTuple):
    """One finding of a probe.

    ``probe`` is the id of the probe, which the list of probes fills in.
    """

    probe: str
    outcome: ProbeOutcome
    text: Sentence
    remedy: Sentence | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain data: the texts in English, and as data that can be translated."""
        return {
            "probe": self.probe,
            "outcome": self.outcome.value,
            "text": str(self.text),
            "remedy": None if self.remedy is None else str(self.remedy),
            "sentence": i18n.to_plain(self.text),
            "remedy_sentence": None if self.remedy is None else i18n.to_plain(self.remedy),
        }


def found(text: Sentence, remedy: Sentence) -> ProbeFinding:
    """Return that something is wrong, and what to do."""
    return ProbeFinding("", ProbeOutcome.FOUND, text, remedy)


def clean(text: Sentence) -> ProbeFinding:
    """Return that all is well, and what was seen."""
    return ProbeFinding("", ProbeOutcome.CLEAN, text)


def unseen(reason: Sentence, remedy: Sentence | None = None) -> ProbeFinding:
    """Return why the probe could not look; ``remedy`` where it can be made to."""
    return ProbeFinding("", ProbeOutcome.UNSEEN, reason, remedy)
