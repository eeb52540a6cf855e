# SPDX-License-Identifier: Apache-2.0
"""Run one driver in this process.

``tests.fuzz.native.running`` runs ``python -m tests.fuzz.native.driving MODULE SECONDS
SEED LAST`` on a build with sanitizers. Its last line is the result, as JSON; a fault ends
it before that.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

from tests.fuzz.native.session import Session

DRIVERS = "tests.fuzz.native.drivers"


def driver_of(module: str) -> str:
    """Return the name of the module that drives a native one."""
    _, package, name = module.split(".")
    return f"{DRIVERS}.{package}{name}"


def main() -> None:
    """Drive a module and say what was reached.

    Raises:
        AssertionError: an answer is wrong, or what the driver promises was not reached.
    """
    module, seconds, seed, last = sys.argv[1:]
    native = import_module(module)
    sys.stderr.write(f"{native.__file__}\n")
    driver = import_module(driver_of(module))
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
