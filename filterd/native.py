# SPDX-License-Identifier: Apache-2.0
"""Choose between a native module and what serves without it, in one place for all.

A native module has a pure Python twin that gives identical answers, or it only makes
faster what other modules do without it. ``FILTERD_PURE=1`` takes no native module.
``FILTERD_REQUIRE_NATIVE=1`` refuses to run without one, because an error in our own C
would otherwise pass in silence: the build of an extension is optional.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_missing: set[str] = set()


def missing() -> list[str]:
    """Return the native modules that this process does without, by their full names."""
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
    module = live_only(native)
    return (import_module(pure), False) if module is None else (module, True)


def live_only(native: str) -> ModuleType | None:
    """Import a native module; return None where it is not to be had.

    Args:
        native: the full name of the compiled module.

    Raises:
        ImportError: ``FILTERD_REQUIRE_NATIVE=1`` and the native module is not there.
    """
    if os.environ.get("FILTERD_PURE") != "1":
        try:
            return import_module(native)
        except ImportError as error:
            cause = error
    else:
        cause = ImportError("FILTERD_PURE=1 asks for no native module")
    if os.environ.get("FILTERD_REQUIRE_NATIVE") == "1":
        raise ImportError(
            f"{native} is required by FILTERD_REQUIRE_NATIVE=1 and not live ({cause}); "
            "build it with: pip install -e ."
        ) from cause
    _missing.add(native)
    return None
