# SPDX-License-Identifier: Apache-2.0
"""The limits of the processes that people reach by a browser.

The process of the pupils' page may ask for what that page shows and nothing else. The web
process acts for a person: without a token it may ask only what is open to everyone. Any process
that reports the address of a person's device does the same, whatever its own rights are.
Others cannot report one: who chooses an address for each try is slowed down at none.
"""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from filterd.errors import ControlError
from filterd.i18n import say

if TYPE_CHECKING:
    from filterd.control.frames import ControlRequest
    from filterd.daemon.control_caller import Caller

WEB_GROUP, PAGE_GROUP = "filterd-web", "filterd-page"
PAGE_COMMANDS = "page-"
"""The beginning of the names of commands for the pupils' page."""
_USERS = ("filterd-web", "filterd-blockpage")
"""Of these processes; each has a share of the control socket of its own."""


def face_uids() -> tuple[int, ...]:
    """Return the user IDs of these processes, as far as the machine has them."""
    found = []
    for user in _USERS:
        try:
            found.append(pwd.getpwnam(user).pw_uid)
        except KeyError:
            continue
    return tuple(found)


def check_face(caller: Caller, command: str) -> None:
    """Refuse other commands to the process of the pupils' page.

    Raises:
        ControlError: it asks for one.
    """
    if PAGE_GROUP in caller.groups and not command.startswith(PAGE_COMMANDS):
        raise ControlError(
            say("{user} may only ask for what the pupils' page shows", user=caller.user)
        )


def check_address(caller: Caller, address: str) -> None:
    """Refuse the address of a device to all processes but those that devices reach.

    Raises:
        ControlError: the process is another user's.
    """
    is_face = not caller.groups.isdisjoint((WEB_GROUP, PAGE_GROUP))
    if address and not is_face and caller.uid not in (0, os.geteuid()):
        raise ControlError(say("{user} may not ask for another device", user=caller.user))


def acts_for_a_person(caller: Caller, request: ControlRequest) -> bool:
    """Return whether the rights of a person count, and not those of the process."""
    return bool(request.act_for or request.address or WEB_GROUP in caller.groups)
