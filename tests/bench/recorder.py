# SPDX-License-Identifier: Apache-2.0
"""An upstream that answers at once and records its questions, as a process.

``python -m tests.bench.recorder`` prints its port in a line and answers every
A question. At the end of its input it writes the ID and the source port of each
question as two 16-bit numbers in network order.
"""

from __future__ import annotations

import select
import socket
import sys

from tests.support.forger import answer


def main() -> None:
    """Serve until the input ends."""
    served = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    served.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    served.bind(("127.0.0.1", 0))
    sys.stdout.write(f"{served.getsockname()[1]}\n")
    sys.stdout.flush()
    seen = bytearray()
    while True:
        readable, _, _ = select.select([served, sys.stdin], [], [])
        if sys.stdin in readable:
            break
        try:
            while True:
                query, client = served.recvfrom(4096, socket.MSG_DONTWAIT)
                seen += query[:2] + client[1].to_bytes(2)
                served.sendto(answer(query, query[:2], 1), client)
        except (BlockingIOError, ConnectionRefusedError):
            continue
    sys.stdout.buffer.write(seen)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
