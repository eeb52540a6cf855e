# SPDX-License-Identifier: Apache-2.0
"""Take in what is in force at the school: policy, overrides, time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigError, ControlError
from filterd.operations.clock import ReadClock
from filterd.operations.history import ReadOverrides
from filterd.operations.policy import ReadPolicy
from filterd.overrides.changes.effects import THINGS, from_plain
from filterd.policy import policy_file
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.unknown_time import known_or_least, of_facts
from filterd.texts.i18n import did_you_mean, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


async def in_force(visitor: Visitor) -> EffectiveState:
    """Return the effective state.

    Raises:
        FilterdError: as ``control.ask``.
    """
    clock = await visitor.send(ReadClock())
    policy, overrides = await policy_of(visitor), await overrides_of(visitor)
    moment = at(policy, overrides, *of_facts(clock))
    return EffectiveState(
        policy, overrides, moment, visitor.clock._replace(now=known_or_least(clock))
    )


async def policy_of(visitor: Visitor, digest: str = "") -> Policy:
    """Return the policy of the site's files; with a digest, a former one.

    Raises:
        FilterdError: as ``control.ask``.
    """
    text = await visitor.send(ReadPolicy(digest=digest))
    return _parsed(text)


async def overrides_of(visitor: Visitor) -> Overrides:
    """Return what commands have set, ended things too.

    Raises:
        FilterdError: as ``control.ask``.
    """
    kept = await visitor.send(ReadOverrides())
    try:
        return from_plain({key: kept[key] for key in (*THINGS, "number") if key in kept})
    except (KeyError, TypeError, ValueError) as error:
        raise ControlError(say("filterd has another version; restart it")) from error


def check_known(wanted: str, known: Iterable[str], what: Sentence) -> str:
    """Return an id that the site has.

    Args:
        wanted: as a person wrote it.
        known: the ids.
        what: the kind of thing, for the error.

    Raises:
        ConfigError: it is none of them.
    """
    known = list(known)
    if wanted not in known:
        raise ConfigError(
            say("'{wanted}' is not a {what} of this site", wanted=wanted, what=what),
            hint=did_you_mean(wanted, known),
        )
    return wanted


@lru_cache(maxsize=1)
def _parsed(text: str) -> Policy:
    """Return the policy of a text; the same text comes with almost every request."""
    return policy_file.parse(text.encode(), "policy")
