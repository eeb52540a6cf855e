# SPDX-License-Identifier: Apache-2.0
"""Gather what probes look at: the daemon's status, the policies, the network.

What cannot be read is the reason why.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.appliance import local_network
from filterd.appliance.doctor.probe import ExaminedSite
from filterd.base.errors import FilterdError
from filterd.daemon import policy_reader
from filterd.policy.model import Policy
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from filterd.appliance.local_network import LocalNetwork
    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.texts.i18n import Sentence

    T = TypeVar("T")

_ASK_WITHIN_S = 2.0


def gather(
    config: Path, state: StateFolder, clock: Clock, *, is_of_health: bool = False
) -> ExaminedSite:
    """Return what there is to look at.

    Probes connect to upstreams and sinkholes, as root: these are those of the site's files, and not
    of the policy that the daemon keeps. A check of health, often made, connects to filterd only.

    Args:
        config: the folder of ``site.yaml``.
        state: the state folder.
        clock: the clock.
        is_of_health: whether it is for a check of health.
    """
    socket, is_running = state.control_socket, True
    ask = partial(control.ask, socket, silence_s=_ASK_WITHIN_S)
    status: dict[str, Any] | Sentence
    try:
        status = ask("status")
    except FilterdError as error:
        is_running = isinstance(error, control.NotLetInError)
        status = (
            say("this user may not ask filterd: run it again with sudo")
            if is_running
            else say("filterd is not running")
        )
    is_asked = isinstance(status, dict)  # one that does not answer is not asked again
    read = policy_reader.in_force if is_asked else policy_reader.of_files
    policy = _or_why(lambda: read(config, state))
    named: Policy | Sentence | None = None
    if is_asked and not is_of_health:
        named = _or_why(lambda: policy_reader.of_readable_files(config, state))
    lan = policy.lan_interfaces if isinstance(policy, Policy) else ()
    network: LocalNetwork | Sentence = _or_why(
        lambda: asyncio.run(local_network.look(lan_interfaces=lan))
    )
    return ExaminedSite(
        state.folder,
        policy,
        status,
        network,
        ask,
        feed=status["feed"] if isinstance(status, dict) else {},
        clock=clock,
        is_running=is_running,
        named_or_why=named,
    )


def _or_why(read: Callable[[], T]) -> T | Sentence:
    try:
        return read()
    except FilterdError as error:
        return error.sentence
