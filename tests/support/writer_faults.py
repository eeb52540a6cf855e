# SPDX-License-Identifier: Apache-2.0
"""Faults that a writer of files meets in a process of its own: a full disk, a sudden end."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def on_a_disk(size: str, program: str, folder: Path) -> str:
    """Run Python whose argument is a folder with a disk of that size; return what it prints."""
    mounting = f'mount -t tmpfs -o size={size} tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", mounting, "sh", str(folder), sys.executable, program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def killed(program: str, path: Path, times: int) -> Iterator[int]:
    """Kill Python that writes numbered batches, again and again.

    It prints the number of each batch that is written; its arguments are the path and the number
    to begin with.

    Yields: the last number that it printed before it was killed.
    """
    dice, last = random.Random(2), 1
    for _ in range(times):
        command = [sys.executable, "-c", program, str(path), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(dice.randrange(1, 50)):
                last = int(writer.stdout.readline())
            writer.kill()
            last = max(last, *map(int, writer.stdout.read().split()), 1)
        yield last
