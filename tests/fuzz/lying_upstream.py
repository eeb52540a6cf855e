# SPDX-License-Identifier: Apache-2.0
"""A lying upstream over UDP and TCP, as a process, fast enough for a fuzzer.

Run as ``python -m tests.fuzz.lying_upstream SEED``; prints its port. It answers
truthfully only at or beneath ``honest.example``, and sometimes not at all. It counts
the questions for must-block names, and prints the number when its input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.commands import ROOT, environment
from tests.support.lies import FORBIDDEN, a_lie

if TYPE_CHECKING:
    from collections.abc import Iterator

_HONEST = b"\x06honest\x07example\x00"
HONEST_ADDRESS = b"\xc6\x12\0\1"
_RECORD = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + HONEST_ADDRESS
_SILENT = 0.01


class Liar(asyncio.DatagramProtocol):
    """Answers datagrams, and what comes by TCP."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._transport: asyncio.DatagramTransport | None = None
        self.asked_forbidden = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self.answer(data)
        if self._transport is not None and answer:
            self._transport.sendto(answer[:4096], addr)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                answer = self.answer(await reader.readexactly(length))
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
        writer.close()

    def answer(self, query: bytes) -> bytes:
        """Answer; sometimes not at all."""
        suffixes = _suffixes(query)
        end = 12 + len(suffixes[0])
        qname, qtype = query[12:end], int.from_bytes(query[end : end + 2])
        self.asked_forbidden += FORBIDDEN in suffixes
        if _HONEST in suffixes:
            return query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12 : end + 4] + _RECORD
        if self._rng.random() < _SILENT:
            return b""
        return a_lie(qname, qtype, self._rng, query[:2])


def _suffixes(query: bytes) -> list[bytes]:
    """Return the qname and its ancestors in lower case; filterd does not compress a question.

    Label by label: the octets of one name may well stand within a label of another.
    """
    starts = [12]
    while length := query[starts[-1]]:
        starts.append(starts[-1] + 1 + length)
    return [query[start : starts[-1] + 1].lower() for start in starts]


def _sockets() -> tuple[socket.socket, socket.socket]:
    while True:
        udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        udp.bind(("127.0.0.1", 0))
        with contextlib.suppress(OSError):
            tcp.bind(udp.getsockname())
            return udp, tcp
        udp.close()
        tcp.close()


async def _serve(seed: int) -> None:
    loop = asyncio.get_running_loop()
    liar = Liar(seed)
    udp, tcp = _sockets()
    await loop.create_datagram_endpoint(lambda: liar, sock=udp)
    async with await asyncio.start_server(liar.stream, sock=tcp):
        sys.stdout.write(f"{udp.getsockname()[1]}\n")
        sys.stdout.flush()
        await loop.run_in_executor(None, sys.stdin.read)
    sys.stdout.write(f"{liar.asked_forbidden}\n")


class LyingUpstream:
    """One that runs; ``stop`` ends it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def stop(self) -> int:
        """End it and return how often it was asked about must-block names."""
        out, _ = self._process.communicate("")
        return int(out)


@contextlib.contextmanager
def lying_upstream(seed: int) -> Iterator[LyingUpstream]:
    """Start one and end it."""
    command = [sys.executable, "-m", __name__, str(seed)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True
    ) as process:
        try:
            yield LyingUpstream(process)
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
