# SPDX-License-Identifier: Apache-2.0
"""What is valid in a site's files and is not so all the same, with where it stands: to be told.

That is exceptions of ``site.yaml`` which something outranks, and expectations that
are not met and do not keep the policy from being in force.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from filterd.errors import ConfigError
from filterd.overrides.preconditions import why_never
from filterd.policy import conflicts
from filterd.policy.temporary_rules import LocalException, TargetKind
from filterd.resolve import expectation_checks
from filterd.sentences import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.policy.model import LocalRule
    from filterd.resolve.expectation_checks import Unmet
    from filterd.resolve.site import Site

_MOST = 40
_OF_SITE = "site.yaml:"
"""With what the ids of rules begin that are exceptions of the site's file."""


def doubts(site: Site, unmet: Iterable[Unmet], now: float) -> tuple[ConfigError, ...]:
    """Return them, the first of them where there are many.

    Args:
        site: as it is in force.
        unmet: the expectations that it does not meet.
        now: Unix time.
    """
    found = [*outranked(site, now), *expectation_checks.enforced_in(site.timed.policy)]
    found += (one.error() for one in unmet)
    return tuple(islice(found, _MOST))


def outranked(site: Site, now: float) -> Iterator[ConfigError]:
    """Yield the allows of the site's file that never open anything: what is closed is locked.

    Args:
        site: whose lists say what is.
        now: Unix time.
    """
    for rule in site.timed.policy.rules:
        if not rule.allow or not rule.id.startswith(_OF_SITE):
            continue
        idle = conflicts.idle(site.engine, _as_exception(rule), now)
        if idle in conflicts.CLOSED:
            reason, hint = why_never(names.to_text(rule.name), idle)
            path, line, column = rule.id.split(":")
            reason = say("{reason}: the exception has no effect", reason=reason)
            yield ConfigError(reason, path=path, line=int(line), column=int(column), hint=hint)


def _as_exception(rule: LocalRule) -> LocalException:
    """Return what a command would have set."""
    name = names.to_text(rule.name)
    return LocalException(
        0, TargetKind.NAME, name, rule.allow, rule.audience, rule.whom, rule.reason, "", 0.0
    )
