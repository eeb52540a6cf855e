# SPDX-License-Identifier: Apache-2.0
"""Choose between a native module and what serves without it, in one place for all.

A native module has a pure Python twin that gives identical answers, is compiled from the
very module that runs without a compiler, or only makes faster what other modules do without
it. ``FILTERD_PURE=1`` takes no native module.
``FILTERD_REQUIRE_NATIVE=1`` refuses to run without one, because an error in our own C
would otherwise pass in silence: the build of an extension is optional.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
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


def live_source(name: str) -> tuple[ModuleType, bool]:
    """Import a module that is compiled where a compiler is, and else runs as it is written.

    Args:
        name: the full name of the module, whose source stands beside what was compiled.

    Returns:
        The module, and whether it is the compiled one.

    Raises:
        ImportError: ``FILTERD_REQUIRE_NATIVE=1`` and it is not compiled.
    """
    module = live_only(name)
    if module is not None:
        return module, True
    sys.modules[name] = module = plain_source(name)
    return module, False


def plain_source(name: str) -> ModuleType:
    """Run the source of a module, even where it is compiled too; return that module."""
    package, _, stem = name.rpartition(".")
    folder = Path(next(iter(import_module(package).__path__)))
    spec = spec_from_file_location(name, folder / f"{stem}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def live_only(native: str) -> ModuleType | None:
    """Import a native module; return None where it is not to be had.

    Args:
        native: the full name of the compiled module.

    Raises:
        ImportError: ``FILTERD_REQUIRE_NATIVE=1`` and the native module is not there.
    """
    if os.environ.get("FILTERD_PURE") != "1":
        try:
            return _compiled(native)
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


def _compiled(name: str) -> ModuleType:
    """Import a module that is not written in Python.

    Raises:
        ImportError: it is not there, or only its source is.
    """
    spec = find_spec(name)
    if spec is None or (spec.origin or "").endswith(".py"):
        raise ImportError(f"{name} is not built")
    return import_module(name)
