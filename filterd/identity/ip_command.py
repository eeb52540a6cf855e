# SPDX-License-Identifier: Apache-2.0
"""Asks ``ip`` (iproute2) about this machine's network: JSON, within bounds of size and time."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import Any

_log = logging.getLogger("filterd.identity")

_LARGEST_OUTPUT = 4 * 1024 * 1024
"""Some 30,000 neighbours; no network of a school has as many."""

_WITHIN_S = 5.0
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


class IpCommand:
    """Runs ``ip -j``; says what is wrong with it once, until it has been well again."""

    def __init__(self, program: str = "ip") -> None:
        self._program = program
        self._failing = False

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        """Return what ``ip -j ARGUMENTS`` prints, None where it cannot be had. Never raises.

        Returns: the objects of its list that are not empty, unchecked beyond that.
        """
        try:
            async with asyncio.timeout(_WITHIN_S):
                told = _objects(await self._output(arguments))
        except TimeoutError:
            self._warn("it takes too long")
        except (OSError, ValueError, RecursionError) as error:
            self._warn(str(error))
        else:
            self._failing = False
            return told
        return None

    async def _output(self, arguments: tuple[str, ...]) -> bytes:
        transport, collected = await asyncio.get_running_loop().subprocess_exec(
            _Collected,
            self._program,
            "-j",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_PATH}"},
        )
        try:
            await collected.ended.wait()
            if len(collected.output) > _LARGEST_OUTPUT:
                raise ValueError(f"it prints more than {_LARGEST_OUTPUT} octets")
            if code := transport.get_returncode():
                raise ValueError(f"`{self._program} {' '.join(arguments)}` ends with {code}")
            return bytes(collected.output)
        finally:
            transport.close()  # which kills what has not ended
            await collected.lost.wait()

    def _warn(self, why: str) -> None:
        if not self._failing:
            self._failing = True
            _log.warning(
                "`ip` tells nothing of the network (%s): devices are not recognised by MAC, and "
                "only `allow_from` and `networks` may ask; install iproute2",
                why,
            )


class _Collected(asyncio.SubprocessProtocol):
    """What a process has printed, up to a bound.

    ``ended``: it has exited, or goes beyond the bound; ``lost``: nothing of it is left.
    """

    def __init__(self) -> None:
        self.output = bytearray()
        self.ended, self.lost = asyncio.Event(), asyncio.Event()

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        if len(self.output) <= _LARGEST_OUTPUT:
            self.output += data
        else:
            self.ended.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.ended.set()
        self.lost.set()


def _objects(output: bytes) -> list[dict[str, Any]]:
    """Read what was printed: nothing at all where there is no route.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply for the parser.
    """
    parsed = json.loads(output or b"[]")
    every = parsed if isinstance(parsed, list) else [parsed]
    return [one for one in every if isinstance(one, dict) and one]
