# SPDX-License-Identifier: Apache-2.0
"""Run one driver in this process.

``tests.fuzz.native.running`` runs ``python -m tests.fuzz.native.driving DRIVER SECONDS
SEED LAST`` on a build with sanitizers. Its last line is the result, as JSON; a fault ends
it before that.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

from tests.fuzz.native.broken import BROKEN
from tests.fuzz.native.session import Session

DRIVERS = "tests.fuzz.native.drivers"


def main() -> None:
    """Drive native code and report what was reached.

    Raises:
        AssertionError: an answer is wrong, or what the driver promises was not reached.
    """
    name, seconds, seed, last = sys.argv[1:]
    native = import_module(BROKEN[name].extension)
    sys.stderr.write(f"{native.__file__}\n")
    driver = import_module(f"{DRIVERS}.{name}")
    session = Session(float(seconds), int(seed), Path(last))
    began = time.perf_counter()
    driver.drive(session)
    missed = driver.REACHES - set(session.reached)
    assert not missed, f"never reached: {', '.join(sorted(missed))}"
    took = time.perf_counter() - began
    done = {"inputs": session.inputs, "seconds": took, "reached": dict(session.reached)}
    sys.stdout.write(f"{json.dumps(done)}\n")


if __name__ == "__main__":
    main()
