# SPDX-License-Identifier: Apache-2.0
"""Make once what takes long to make, and give it to each test as it was made.

It stays in the same folder, because what is compiled may know where it was compiled.
"""

from __future__ import annotations

import copy
import shutil
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class MadeOnce(Generic[T]):
    """An object and the folder that holds all of its files.

    Args:
        folder: an empty one.
        make: makes the object and its files in a folder of its own.
    """

    def __init__(self, folder: Path, make: Callable[[Path], T]) -> None:
        self._folder, self._copy = folder / "made", folder / "copy"
        self._folder.mkdir()
        self._made = make(self._folder)
        shutil.copytree(self._folder, self._copy, symlinks=True)

    def anew(self) -> T:
        """Return it as it was made; what the test before has left is removed."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._copy, self._folder, symlinks=True)
        return copy.deepcopy(self._made)
