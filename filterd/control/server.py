# SPDX-License-Identifier: Apache-2.0
"""The daemon's end of the control socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from filterd.control.access import let_in
from filterd.control.caller import Caller, caller_of
from filterd.errors import FilterdError, StoreError, to_plain
from filterd.sentences import refused, say

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[[dict[str, Any], Caller], Awaitable[Any]]
"""What was asked for, and who asks, which it may not say itself."""

_LARGEST_REQUEST = 512 * 1024
"""An exam may have two thousand names."""
_REQUEST_WITHIN_S = 5.0
_MODE = 0o660
_LOOK_EVERY_S = 5.0

_log = logging.getLogger("filterd.control")


class ControlServer:
    """Answers commands on a Unix socket.

    Args:
        path: of the socket.
        commands: what can be asked.
        groups: those whose members may ask, beside the daemon's own user and group.
    """

    def __init__(
        self, path: Path, commands: Mapping[str, Command], groups: Collection[str] = ()
    ) -> None:
        self._path, self._commands, self._groups = path, commands, groups
        self._server: asyncio.Server | None = None
        self._made: os.stat_result | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; what is there was left behind by a dead daemon and is replaced.

        Whoever starts it holds the lock of the folder.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(
                self._accept, str(self._path), limit=_LARGEST_REQUEST
            )
            self._path.chmod(_MODE)
            if not let_in(self._path, self._groups) and self._groups:
                _log.warning("%s: no access lists here; only its own group may ask", self._path)
            self._made = self._path.stat()
        except OSError as error:
            raise StoreError(
                say("{path}: cannot listen there: {why}", path=self._path, why=refused(error))
            ) from error

    async def keep(self) -> None:
        """Listen again whenever the socket is gone, for ever.

        Somebody may have removed it, or the disk was full at the start: without
        it nobody could reload, and another daemon cannot take this one's place.
        """
        problem = ""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._is_in_place():
                continue
            try:
                self._stop_listening()
                await self.start()
            except StoreError as error:
                if str(error) != problem:
                    _log.error("%s; trying again", error)
                problem = str(error)
            else:
                problem = ""
                _log.warning("%s: was gone and is there again", self._path)

    def _is_in_place(self) -> bool:
        with contextlib.suppress(OSError):
            return self._made is not None and os.path.samestat(self._made, self._path.stat())
        return False

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close(self) -> None:
        """Stop listening, remove the socket, let go of whoever is connected."""
        if self._is_in_place():
            self._path.unlink(missing_ok=True)
        self._stop_listening()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve in a task of our own: when asyncio's is cancelled, that is logged as an error."""
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_WITHIN_S):
                request = await reader.readline()
            caller = caller_of(writer.get_extra_info("socket"))
            writer.write(json.dumps(await self._answer(request, caller)).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass  # whoever asked went away, or never came to the point
        finally:
            writer.close()

    async def _answer(self, line: bytes, caller: Caller) -> dict[str, Any]:
        try:
            request = json.loads(line)
            command = self._commands[request.pop("command")]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {"ok": False, "error": "this filterd does not know that command"}
        try:
            return {"ok": True, "result": await command(request, caller)}
        except FilterdError as error:
            return {"ok": False, **to_plain(error)}
        except Exception:  # noqa: BLE001 -- logged whole, and a command must get some answer
            _log.exception("a command failed")
            return {"ok": False, "error": "the command failed inside filterd; see its log"}
