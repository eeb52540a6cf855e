# SPDX-License-Identifier: Apache-2.0
"""The command ``ip`` (iproute2): JSON about this machine's network, within bounds.

Size and time are bounded. The process is started by a thread, and not by the event
loop: uvloop forks, which delays every answer for as long as it takes to copy the page
tables of a process that has an index mapped (50 ms with 400 MB); ``subprocess`` does
not.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import threading
from typing import Any

_log = logging.getLogger("filterd.clients")

_LARGEST_OUTPUT = 4 * 1024 * 1024
"""Some 30,000 neighbours; no network of a school has as many."""

_WITHIN_S = 5.0
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


class IpCommand:
    """Runner of ``ip -j``; a failure is logged once, until the command works again."""

    def __init__(self, program: str = "ip") -> None:
        self._program = program
        self._failing = False

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        """Return the output of ``ip -j ARGUMENTS``, None where it fails. Never raises.

        Returns: the objects of its list that are not empty, unchecked beyond that.
        """
        try:
            told = await asyncio.to_thread(_objects, [self._program, "-j", *arguments])
        except (OSError, ValueError, RecursionError) as error:
            if not self._failing:
                _warn(str(error))
            self._failing = True
            return None
        self._failing = False
        return told


def _objects(command: list[str]) -> list[dict[str, Any]]:
    """Return the JSON objects that a command prints; none where there is no route.

    Raises:
        OSError: it cannot be run.
        ValueError: it fails, or takes or prints too much, or its output is no JSON.
        RecursionError: that is nested too deeply for the parser.
    """
    parsed = json.loads(_output(command) or b"[]")
    every = parsed if isinstance(parsed, list) else [parsed]
    return [one for one in every if isinstance(one, dict) and one]


def _output(command: list[str]) -> bytes:
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_PATH}"}
    with subprocess.Popen(  # noqa: S603 -- our own words, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdout is not None
        too_late = threading.Timer(_WITHIN_S, process.kill)
        too_late.start()
        try:
            output = process.stdout.read(_LARGEST_OUTPUT + 1)
            if len(output) > _LARGEST_OUTPUT:
                process.kill()
            code = process.wait()
        finally:
            too_late.cancel()
            too_late.join()
    if code:
        raise ValueError(f"`{' '.join(command)}` ends with {code}, or takes or prints too much")
    return output


def _warn(why: str) -> None:
    _log.warning(
        "`ip` tells nothing of the network (%s): devices are not recognised by MAC, and only "
        "`allow_from` and `networks` may ask; install iproute2",
        why,
    )
