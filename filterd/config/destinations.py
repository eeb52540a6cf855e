# SPDX-License-Identifier: Apache-2.0
"""Read where alerts and reports go: ``python -m filterd.config.destinations``.

A secret, an alert or a report goes where ``site.yaml`` says, and nowhere else. Root and the monitor
may do more than the daemon, so they do not ask it: each reads the file itself, by this child, which
gets its folder and checks the file as a compilation does. It prints ``Destinations`` as one JSON
object; or what is wrong, and exits with 1. The other end is ``compile_run.read_destinations``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from filterd.base import bounded_child
from filterd.base.errors import FilterdError, Problems, to_plain
from filterd.base.process_memory import child_octets
from filterd.base.state_file import to_plain as data_of
from filterd.config.build_record import SITE_FILE
from filterd.config.compile_run import TIME_LIMIT_S
from filterd.config.reporting_schema import check_report, compile_alerts, compile_report
from filterd.config.site_reader import migrated
from filterd.config.site_schema import SiteFile
from filterd.documents import load, validate
from filterd.policy.reporting_settings import Destinations

_MOST_MEMORY_OCTETS = 256 << 20


def destinations_of(config: Path) -> Destinations:
    """Read where a site sends alerts and reports; no other file of the site counts.

    Args:
        config: the folder of ``site.yaml``.

    Raises:
        ConfigErrors: all that is wrong with the file.
    """
    problems = Problems()
    document = migrated(load(config / SITE_FILE))
    site = validate(document, SiteFile)
    check_report(document, site, problems)
    problems.raise_if_any()
    return Destinations(
        school=site.school.name,
        language=site.language,
        alerts=compile_alerts(site),
        report=compile_report(site, config.absolute()),
    )


def main(arguments: list[str]) -> int:
    """Print the destinations of one site; return the exit code."""
    memory = bounded_child.mapped_octets() + child_octets(_MOST_MEMORY_OCTETS)
    bounded_child.bound(memory_octets=memory, cpu_s=TIME_LIMIT_S)
    try:
        answer, code = data_of(destinations_of(Path(arguments[0]))), 0
    except FilterdError as error:
        answer, code = to_plain(error), 1
    sys.stdout.write(json.dumps(answer))
    return code


if __name__ == "__main__":
    bounded_child.end_with_parent()
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(exit_code)  # taking everything apart would take longer
