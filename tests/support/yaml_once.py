# SPDX-License-Identifier: Apache-2.0
"""Parse the same octets once, and validate the same catalogue: most tests read all that ships.

``parse`` itself is as it was; ``load`` and ``load_catalog`` are what remembers. What is wrong is
found anew each time. Documents and models are frozen, so that tests may share them. So are
policies, which each school of a test reads three times from their file, and the catalogue that
ships, which no test writes.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from filterd.base.errors import ConfigError, StoreError
from filterd.base.paths import shipped
from filterd.documents import yaml_reader
from filterd.lists.catalogs import catalog, catalog_schema
from filterd.policy import policy_file

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_file import Decoder
    from filterd.documents.yaml_reader import Document
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.policy.model import Policy

_MOST_FILES, _MOST_POLICIES = 200, 20


def remember() -> None:
    """Have this process remember what it has parsed and validated, wherever the file was."""
    parse = yaml_reader.parse
    known = lru_cache(_MOST_FILES)(lambda content, as_text: parse(content, "", as_text=as_text))

    def parse_once(content: bytes, path: str, *, as_text: bool = False) -> Document:
        try:
            return replace(known(content, as_text), path=path)
        except ConfigError:
            return parse(content, path, as_text=as_text)  # it raises, with the path

    vars(yaml_reader)["parse"] = parse_once
    # Only the catalogue: what is right in a site may depend on the machine, on its time zones.
    validate: Any = lru_cache(_MOST_FILES)(vars(BaseModel)["model_validate_json"].__func__)
    for model in vars(catalog_schema).values():
        if getattr(model, "__module__", "") == catalog_schema.__name__ and isinstance(model, type):
            setattr(model, "model_validate_json", classmethod(validate))  # noqa: B010 -- for mypy
    _remember_policies()
    _remember_what_ships()


def _remember_policies() -> None:
    decode = policy_file._FORMAT._decoded
    known = lru_cache(_MOST_POLICIES)(lambda content: decode(json.loads, content, ""))

    def decode_once(read: Decoder, content: bytes, path: str) -> Policy:
        try:
            return known(content)
        except StoreError:
            return decode(read, content, path)  # it raises, with the path

    vars(policy_file._FORMAT)["_decoded"] = decode_once


def _remember_what_ships() -> None:
    """Have each module read the catalogue that ships once, as long as its files are the same."""
    load = catalog.load_catalog
    if getattr(load, "is_once", False):
        return
    folder = shipped("blocklists").absolute()
    known = lru_cache(1)(lambda _: load(folder))

    def load_catalog(of: Path) -> Catalog:
        return known(_looks(folder)) if of.absolute() == folder else load(of)

    vars(load_catalog)["is_once"] = True
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if value is load:
                vars(module)[name] = load_catalog


def _looks(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return by what a change of a folder is seen."""
    found = list[tuple[str, int, int, int]]()
    with os.scandir(folder) as entries:
        for entry in entries:
            look = entry.stat()
            found.append((entry.path, look.st_ino, look.st_size, look.st_mtime_ns))
    return tuple(found)
