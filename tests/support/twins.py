# SPDX-License-Identifier: Apache-2.0
"""The plain modules and the native ones that are built here, for tests that both must pass."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from filterd.base.native import live_only, plain_source
from tests.support import needs

if TYPE_CHECKING:
    from types import ModuleType

    from _pytest.mark.structures import ParameterSet


def _built(package: str, plain: str, native: str) -> list[ModuleType]:
    """Return the plain module, which must be there, and the native one if it may be used."""
    found = [import_module(f"filterd.{package}.{plain}"), live_only(f"filterd.{package}.{native}")]
    return [module for module in found if module is not None]


def _compiled(package: str, name: str) -> list[ModuleType]:
    """Return a module as it is written, and as it is compiled if it was."""
    full = f"filterd.{package}.{name}"
    found = [plain_source(full)]
    compiled = import_module(full)
    return found if str(compiled.__file__).endswith(".py") else [*found, compiled]


MODULES = {
    "limiter": _compiled("fastpath", "_rate_limit"),
    "datagrams": _built("fastpath", "datagrams", "_datagrams"),
    "extraction": _built("upstream", "resolution", "_pool"),
    "exchange": _built("upstream", "exchange", "_pool"),
    "flights": _built("upstream", "singleflight", "_pool"),
    "pool": _built("upstream", "socket_pool", "_pool"),
    "store": _built("resolve", "cache_store", "_cache"),
}
"""The plain one is first, and the only one without a compiler and by ``FILTERD_PURE=1``."""


def plain(what: str) -> ParameterSet:
    """Return a parameter that is the plain module."""
    return pytest.param(MODULES[what][0], id="plain")


def native(what: str) -> ParameterSet:
    """Return a parameter that is the native module; the test is skipped where there is none."""
    module = MODULES[what][-1]
    return pytest.param(module, id="native", marks=needs.NATIVE)


def both(what: str) -> list[ParameterSet]:
    """Return two parameters, for a test that both modules must pass."""
    return [plain(what), native(what)]
