# SPDX-License-Identifier: Apache-2.0
"""Put the site's files and the compiled lists in force."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.value_class import frozen
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.scalar import Flag
from filterd.operations.request import OperationRequest


@frozen
class Reloaded:
    """The result of a reload.

    ``restart_for`` names settings that only a restart changes; ``doubts`` are errors
    as plain data that did not prevent it: unmet expectations, and mistakes in the site's
    files while new lists are activated with the last good site.
    """

    policy: str
    names: int
    lists: int
    restart_for: tuple[str, ...] = ()
    doubts: tuple[dict[str, Any], ...] = ()


@frozen(kw_only=True)
class ReloadSite(OperationRequest[Reloaded], command="reload"):
    """Put files and lists in force."""


@frozen(kw_only=True)
class Reload(ReloadSite):
    """The same; or lists only, with the last good site where the files are wrong."""

    lists_only: Annotated[bool, Flag()] = False


RELOAD = Operation(
    name="reload",
    method="POST",
    path="/reload",
    about="Put the site's files and the lists on the disk in force.",
    request=ReloadSite,
    roles=ADMINS,
    answer=Reloaded,
    commands=("reload",),
)
