# SPDX-License-Identifier: Apache-2.0
"""Choose between a native module and its replacement, in one place for all.

A native module stands beside a plain one of the same contract, is compiled from the
very module that runs without a compiler, or only makes faster what other modules do without
it. ``FILTERD_PURE=1`` takes no native module.
``FILTERD_REQUIRE_NATIVE=1`` refuses to run without one, because an error in our own C
would otherwise pass in silence: the build of an extension is optional.

An extension carries the digest of its sources as its build ID (``native_build``). Where the
sources stand beside it in a checkout and have another digest it is stale, and not taken:
over a struct that has changed it would corrupt memory. An installed package was built whole.
"""

from __future__ import annotations

import os
import struct
import sys
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from types import ModuleType

_BUILD_ID = struct.pack("<III", 4, 32, 3) + b"GNU\0"
"""The head of an ELF note that is a build ID of the size of a digest."""
_HEAD_OCTETS = 4_096

T = TypeVar("T", bound=Any)

_missing: set[str] = set()


def missing() -> list[str]:
    """Return the native modules that this process does without, by their full names."""
    return sorted(_missing)


def native_or(plain: T, extension: str) -> T:
    """Return what an extension has by the name of ``plain``.

    Without the extension, ``plain`` itself is returned.

    Args:
        plain: a class or function with the contract of the native one.
        extension: the full name of the compiled module.

    Raises:
        ImportError: ``FILTERD_REQUIRE_NATIVE=1`` and the extension is not there.
    """
    module = live_only(extension)
    return plain if module is None else cast("T", getattr(module, plain.__name__))


def live_source(name: str) -> tuple[ModuleType, bool]:
    """Import a module that is compiled where a compiler is.

    Elsewhere it runs as it is written.

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
        ImportError: it is not there, or only its source is, or it is stale.
    """
    spec = find_spec(name)
    if spec is None or (spec.origin or "").endswith(".py"):
        raise ImportError(f"{name} is not built")
    if spec.origin and name.startswith("filterd.") and is_stale(Path(spec.origin)):
        raise ImportError(f"{name} was built of other sources: make setup")
    try:
        return import_module(name)
    except (TypeError, ValueError) as error:  # a module that it cimports is not the compiled one
        raise ImportError(f"{name} does not fit the modules that it uses: {error}") from error


def is_stale(built: Path) -> bool:
    """Return whether an extension was built of other sources than those beside it."""
    stem = built.name.partition(".")[0]
    if not (_root_of(built) / "pyproject.toml").exists():
        return False
    for source in (built.with_name(f"{stem}.pyx"), built.with_name(f"{stem}.py")):
        if source.exists():
            with built.open("rb") as file:
                _, found, rest = file.read(_HEAD_OCTETS).partition(_BUILD_ID)
            return bool(found) and rest[:32] != digest_of(source)
    return False


def digest_of(source: Path) -> bytes:
    """Return the digest of a native source and of all that it uses."""
    whole = sha256()
    for path in sources_of(source):
        whole.update(path.name.encode() + b"\0" + _read(path)[0])
    return whole.digest()


def sources_of(source: Path) -> list[Path]:
    """Return a native source and all files that it cimports or includes.

    They are in a fixed order.
    """
    found, left = set[Path](), [source.resolve(), source.resolve().with_suffix(".pxd")]
    while left:
        path = left.pop()
        if path not in found and path.exists():
            found.add(path)
            left += _read(path)[1]
    return sorted(found)


def _root_of(path: Path) -> Path:
    """Return the folder in which the package of a file stands."""
    return next(parent for parent in path.parents if not (parent / "__init__.py").exists())


@cache
def _read(path: Path) -> tuple[bytes, list[Path]]:
    """Return the digest of one file, and the files that it uses."""
    text = path.read_bytes()
    used = []
    for behind in text.split(b"\nfrom filterd.")[1:]:
        module, what, *_ = behind.split(None, 2)
        if what == b"cimport":
            declared = _root_of(path) / f"filterd/{module.decode().replace('.', '/')}.pxd"
            used += [declared, declared.with_suffix(".py")]  # its source, if it is compiled
    included = (behind.partition(b'"')[0].decode() for behind in text.split(b'\ninclude "')[1:])
    used += [path.with_name(name) for name in included]
    return sha256(text).digest(), used
