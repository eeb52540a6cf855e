# SPDX-License-Identifier: Apache-2.0
"""Read a pasted timetable in a child: a table in, edits of ``site.yaml`` out.

The daemon starts ``python -m filterd.config.pasted_timetable`` with one JSON object, the folder of
the site and the text as a spreadsheet copies it, and gets one line of JSON: the edits, as
``appliance.setup.site_edit`` takes them, and what each network will have. The table is read as
``filterd timetable import`` does, by the same function.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import IO, Any

from filterd.base import bounded_child
from filterd.base.errors import ConfigError
from filterd.config.compile_run import compile_in_memory
from filterd.config.timetable_plan import plan
from filterd.config.week_schema import TIMETABLE_FILE, written
from filterd.documents import parse
from filterd.texts.i18n import say

_CPU_S = 60
_MOST_LEFT_OUT = 100
_TABLE = "table"
"""Its name in errors, which have the row and column."""


def edits_of_table(config: Path, blocklists: Path, text: str) -> dict[str, Any]:
    """Return the ``edits`` that give rooms the timetables of a table; ``changes``.

    Raises:
        ConfigErrors: all that is wrong with the table, or the site.
    """
    delimiter = next((one for one in "\t;" if one in text), ",")
    table = [
        [cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=delimiter)
    ]
    made = plan(table, _TABLE, config, compile_in_memory(config, blocklists))
    named = {network.id for network in made.networks}
    if both := [one for one in made.imported if one in named]:
        raise ConfigError(
            say("the timetable of room {room} is that of timetable.yaml", room=both[0]),
            path=TIMETABLE_FILE,
            hint=say("import the table on the gateway: filterd timetable import FILE"),
        )
    rooms = parse(written(made.networks), _TABLE).data
    edits = [
        {"path": ["networks", room, "timetable"], "value": _as_people_write(lessons)}
        for room, lessons in rooms.items()
    ]
    changes = [change for change in made.changes if change["network"] in named]
    return {"edits": edits, "changes": changes, "left_out": list(made.left_out[:_MOST_LEFT_OUT])}


def _as_people_write(value: Any) -> Any:
    """Return grades as numbers, as they stand in ``site.yaml``."""
    if isinstance(value, dict):
        return {key: _as_people_write(one) for key, one in value.items()}
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _answer(request: dict[str, Any], output: IO[bytes]) -> None:
    places = Path(request["config"]), Path(request["blocklists"])
    output.write(json.dumps(edits_of_table(*places, request["table"])).encode())


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_answer, cpu_s=_CPU_S))
