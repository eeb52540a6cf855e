# SPDX-License-Identifier: Apache-2.0
"""The child: ``python -m filterd.config CONFIG TARGET [BLOCKLISTS [POLICY]]``.

It compiles the site, writes the policy file and its origin, and is silent; an empty TARGET has
it print the policy file and write nothing; or it prints what is
wrong as one JSON object and exits with 1, or with 3 if it has compiled the files that POLICY
was compiled from instead. People use ``filterd policy validate``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

from filterd.base import bounded_child
from filterd.base.errors import ConfigError, ConfigErrors, FilterdError, to_plain
from filterd.base.paths import shipped
from filterd.base.process_memory import child_octets
from filterd.config import build_record
from filterd.config.build_record import write_policy
from filterd.config.compile import compile_policy, own_lists
from filterd.config.compile_run import AS_KEPT, TIME_LIMIT_S
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import load_catalog
from filterd.policy import policy_file

_MOST_MEMORY_OCTETS = 512 << 20
_MOST_PROBLEMS = 200


def main(arguments: list[str]) -> int:
    """Compile one site; return the exit code."""
    config, target, blocklists, policy, *_ = (*arguments, "", "")
    site, made = Path(config), Path(target) if target else None
    by = Path(blocklists or shipped("blocklists"))
    gc.disable()  # its end in a moment frees everything, and to look for some now takes a quarter
    memory = bounded_child.mapped_octets() + child_octets(_MOST_MEMORY_OCTETS)
    bounded_child.bound(memory_octets=memory, cpu_s=TIME_LIMIT_S)
    try:
        try:
            _compile(site, made, by)
        except ConfigError as error:
            kept = build_record.site_of(Path(policy)) if policy else None
            if kept is None:
                raise
            _compile(site, made, by, kept)
            return _report(_plain(error), AS_KEPT)
    except FilterdError as error:
        return _report(_plain(error), 1)
    return 0


def _compile(
    config: Path, target: Path | None, blocklists: Path, kept: build_record.Site | None = None
) -> None:
    """Write the policy, and its build record if there can be one; or print the policy."""
    looked = build_record.look(config, blocklists, kept)
    site, catalog = load_site(config, kept), load_catalog(blocklists)
    policy = compile_policy(site, catalog)
    if target is None:
        sys.stdout.buffer.write(policy_file.dump(policy))
        return
    write_policy(target, policy, looked, (*catalog.compiled, *own_lists(site, catalog)))


def _plain(error: FilterdError) -> dict[str, object]:
    """Return an error as plain data; of very many problems the first."""
    if not isinstance(error, ConfigError):
        return to_plain(error)
    problems = error.errors if isinstance(error, ConfigErrors) else (error,)
    return to_plain(ConfigErrors(problems[:_MOST_PROBLEMS]))


def _report(content: dict[str, object], code: int) -> int:
    sys.stdout.write(json.dumps(content))
    return code


if __name__ == "__main__":
    bounded_child.end_with_parent()
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(exit_code)  # a start waits for this, and taking everything apart would take longer
