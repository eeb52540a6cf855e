# SPDX-License-Identifier: Apache-2.0
"""Choose between a native module and its pure Python twin, in one place for all pairs.

The twins give identical answers; only speed differs. ``FILTERD_PURE=1`` takes
the pure one. ``FILTERD_REQUIRE_NATIVE=1`` refuses to run on it, because an error
in our own C would otherwise pass in silence: the build of an extension is
optional, and the twin would hide that it failed.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_missing: set[str] = set()


def missing() -> list[str]:
    """Return the native modules for which pure twins serve in this process, by their full names."""
    return sorted(_missing)


def live_twin(native: str, pure: str) -> tuple[ModuleType, bool]:
    """Import the twin to use.

    Args:
        native: the full name of the compiled module.
        pure: the full name of its readable twin.

    Returns:
        The module, and whether it is the native one.

    Raises:
        ImportError: ``FILTERD_REQUIRE_NATIVE=1`` and the native module is not there.
    """
    if os.environ.get("FILTERD_PURE") != "1":
        try:
            return import_module(native), True
        except ImportError as error:
            cause = error
    else:
        cause = ImportError("FILTERD_PURE=1 asks for the pure twin")
    if os.environ.get("FILTERD_REQUIRE_NATIVE") == "1":
        raise ImportError(
            f"{native} is required by FILTERD_REQUIRE_NATIVE=1 and not live ({cause}); "
            "build it with: pip install -e ."
        ) from cause
    _missing.add(native)
    return import_module(pure), False
