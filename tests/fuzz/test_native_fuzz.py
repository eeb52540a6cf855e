# SPDX-License-Identifier: Apache-2.0
"""Native modules built with sanitizers, each with its driver, and planted faults.

``make fuzz-native`` runs it. ``FILTERD_FUZZ_NATIVE_S`` is the time in seconds for which each
driver draws inputs. ``FILTERD_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.native import building, running
from tests.fuzz.native.broken import BROKEN
from tests.support import native_faults
from tests.support.needs import lack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from tests.fuzz.native.running import Outcome

SECONDS = float(os.environ.get("FILTERD_FUZZ_NATIVE_S", "10"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "0")) or random.randrange(1, 1 << 32)
DRIVERS = sorted(BROKEN)

CORES = 2
FAULT_FOUND_WITHIN_S = 30.0
FINDINGS = ("AddressSanitizer", "runtime error", "AssertionError")
LEAST_INPUTS_A_SECOND = 50


def test_every_native_source_is_declared() -> None:
    written = building.ROOT.glob("filterd/**/*.pyx")
    compiled = (path.with_suffix(".py") for path in building.ROOT.glob("filterd/**/*.pxd"))
    paths = (*written, *(path for path in compiled if path.exists()))
    assert {str(path.relative_to(building.ROOT)) for path in paths} == {
        one for some in building.native_modules().values() for one in some
    }


def test_every_native_module_has_a_driver() -> None:
    assert {broken.extension for broken in BROKEN.values()} == set(building.native_modules())


def test_every_driver_has_a_fault_to_find() -> None:
    folder = building.ROOT / "tests" / "fuzz" / "native" / "drivers"
    assert {path.stem for path in folder.glob("*.py")} == set(DRIVERS)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_fault_can_be_put_into_its_source(driver: str) -> None:
    change = BROKEN[driver].change
    source = (building.ROOT / change.path).read_text(encoding="utf-8")
    assert building.changed(source, change) != source


@pytest.mark.parametrize("module", native_faults.MODULES)
def test_every_fault_of_the_controls_has_its_place_in_the_source(module: str) -> None:
    assert "def plant(" in native_faults.source_with_faults(module)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for processes, one for each core."""
    if reason := building.why_not():
        lack("sanitizers", f"sudo apt install gcc ({reason})")
    with ThreadPoolExecutor(CORES) as made:
        yield made


@pytest.fixture(scope="module")
def built(pool: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All native modules, built with sanitizers."""
    del pool  # there is a compiler
    try:
        return building.build(tmp_path_factory.mktemp("fuzzed") / "sanitized")
    except subprocess.CalledProcessError as error:
        raise AssertionError(error.stderr[-4_000:]) from error


@pytest.fixture(scope="module")
def outcomes(pool: ThreadPoolExecutor, built: Path) -> dict[str, Future[Outcome]]:
    """What becomes of each driver, two at a time."""
    return {one: pool.submit(running.run, built, one, SECONDS, SEED) for one in DRIVERS}


@pytest.mark.apart
@pytest.mark.parametrize("driver", DRIVERS)
def test_no_input_makes_a_native_module_leave_its_bounds(
    outcomes: dict[str, Future[Outcome]], driver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = outcomes[driver].result()
    assert not outcome.finding, str(outcome)
    with capsys.disabled():
        sys.stdout.write(f"\n{outcome}")
    assert outcome.inputs >= SECONDS * LEAST_INPUTS_A_SECOND


@pytest.fixture(scope="module")
def outcomes_of_faults(
    pool: ThreadPoolExecutor, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[Outcome]]:
    """What becomes of each driver when a fault has been put into what it drives."""

    def drive(driver: str) -> Outcome:
        target = tmp_path_factory.mktemp("broken") / "sanitized"
        broken = BROKEN[driver]
        build = building.build_changed(built, target, broken.extension, broken.change)
        return running.run(build, driver, FAULT_FOUND_WITHIN_S, SEED)

    return {one: pool.submit(drive, one) for one in DRIVERS}


@pytest.mark.apart
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_fault_put_into_a_native_module_is_found(
    outcomes_of_faults: dict[str, Future[Outcome]],
    driver: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = outcomes_of_faults[driver].result()
    assert outcome.finding, f"nothing was found in {outcome.inputs} inputs"
    found = [line for line in outcome.finding.splitlines() if any(one in line for one in FINDINGS)]
    assert found, outcome.finding
    with capsys.disabled():
        sys.stdout.write(f"\n{driver}: the fault is found: {found[0][:120]}")
