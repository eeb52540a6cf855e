# SPDX-License-Identifier: Apache-2.0
"""Plant mistakes in packages and see whether the tests of the same folder notice them.

``make mutants`` takes a sample of each package: ``MUTANTS='policy feed/guard'`` names packages,
``NUMBER=80`` says how many mistakes of each, ``SEED=7`` repeats a run. What lived is printed and
written to ``build/mutants``; below 95 of 100 noticed the exit code is 1. Mistakes that change
nothing that a test could see are listed in ``survivors.yaml``, each with its reason.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import yaml

from tests.mutants.mutations import Key, Mutant, Mutations
from tests.mutants.trial import BY_TIME, KILLED, LIVED, run
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGES = ("policy", "resolve", "overrides", "feed/guard", "accounts")
LEAST_KILLED = 0.95
"""Of those that change something."""
EQUIVALENT = "equivalent"
SURVIVORS = ROOT / "tests" / "mutants" / "survivors.yaml"
_RESULTS = ROOT / "build" / "mutants"


class Result(NamedTuple):
    """What has become of the mutants of a package."""

    package: str
    outcomes: list[tuple[Mutant, str]]
    took_s: float

    @property
    def share(self) -> float:
        """Return how many of those that change something were killed; 1 if there are none."""
        counts = Counter(outcome for _, outcome in self.outcomes)
        changing = sum(counts.values()) - counts[EQUIVALENT]
        return (counts[KILLED] + counts[BY_TIME]) / changing if changing else 1.0

    @property
    def lived(self) -> list[Mutant]:
        """Those that the tests do not notice."""
        return [mutant for mutant, outcome in self.outcomes if outcome == LIVED]


def mutants_of(package: str) -> list[Mutant]:
    """Return all mistakes that can be planted in a package."""
    found = list[Mutant]()
    for path in sorted((ROOT / "filterd" / package).rglob("*.py")):
        found += Mutations(str(path.relative_to(ROOT)), path.read_bytes()).all()
    return found


def sample(mutants: list[Mutant], number: int, seed: int) -> list[Mutant]:
    """Draw so many; the same seed and the same source give the same."""
    chosen = random.Random(seed).sample(mutants, min(number, len(mutants)))
    return sorted(chosen, key=lambda one: (one.file, one.start, one.end, one.text))


def survivors() -> dict[Key, str]:
    """Return the reason of each mistake that no test can notice, by its key."""
    reasons = dict[Key, str]()
    for one in yaml.safe_load(SURVIVORS.read_text(encoding="utf-8")) or []:
        place = f"filterd/{one['in']}", one.get("function", "")
        reasons[*place, one["was"], one["becomes"], one.get("which", 1)] = one["why"]
    return reasons


def _try(
    package: str, mutants: Iterable[Mutant], jobs: int, *, module: str = "", is_quick: bool = False
) -> Result:
    reasons, began = survivors(), perf_counter()
    outcomes, tried = list[tuple[Mutant, str]](), list[Mutant]()
    for one in mutants:
        if one.key in reasons:
            outcomes.append((one, EQUIVALENT))
        else:
            tried.append(one)

    def tell(mutant: Mutant, outcome: str) -> None:
        outcomes.append((mutant, outcome))
        if outcome == LIVED:
            place = f"{mutant.file}:{mutant.lines[0]}: {mutant.function or 'module'}"
            place += f", which: {mutant.which}" if mutant.which > 1 else ""
            _print(
                f"  lived  {place}", f"    was      {mutant.was}", f"    becomes  {mutant.becomes}"
            )

    if tried:
        tests = f"tests/unit/{package}" + (f"/test_{module}.py" if module else "")
        trials = run(package, tried, jobs, tell, tests=tests, is_quick=bool(module) or is_quick)
        if not trials.has_begun:
            failed = ", ".join(trials.reach.failed) or "none was collected"
            sys.exit(f"mutants: {tests} fails without a mistake: {failed}; mend it first")
        if trials.problem:  # what has been tried until then is no sample
            sys.exit(f"mutants: {trials.problem}")
        if trials.reach.skipped:
            _print(f"  {trials.reach.skipped} tests are skipped: make test says what they need")
    return Result(package, outcomes, perf_counter() - began)


def _write(result: Result, seed: int) -> None:
    _RESULTS.mkdir(parents=True, exist_ok=True)
    plain = [
        {
            "place": f"{mutant.file}:{mutant.lines[0]}",
            "function": mutant.function,
            "was": mutant.was,
            "becomes": mutant.becomes,
            "outcome": outcome,
        }
        for mutant, outcome in result.outcomes
    ]
    path = _RESULTS / f"{result.package}_{seed}.json".replace("/", "_")
    path.write_text(json.dumps(plain, indent=1, ensure_ascii=False), encoding="utf-8")


def _row(result: Result) -> str:
    counts = Counter(outcome for _, outcome in result.outcomes)
    killed = counts[KILLED] + counts[BY_TIME]
    return (
        f"{result.package:12}{len(result.outcomes):9}{killed:8}{counts[BY_TIME]:9}"
        f"{counts[LIVED]:7}{counts[EQUIVALENT]:12}{result.share:9.1%}{result.took_s:8.0f} s"
    )


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Try a sample of mistakes; return 0 where enough are noticed."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="as policy, feed/guard")
    parser.add_argument("--number", type=int, default=40, help="of mistakes in each package")
    parser.add_argument("--seed", type=int, help="draws the same sample again")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--module", default="", help="of the package: try it on its own tests, quickly"
    )
    parser.add_argument("--quick", action="store_true", help="believe what forks show")
    asked = parser.parse_args(arguments)
    packages = asked.packages or list(PACKAGES)
    if wrong := sorted(set(packages) - set(PACKAGES)):
        parser.error(f"no such package: {', '.join(wrong)}; there are {', '.join(PACKAGES)}")
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    _print(f"mutants: {asked.number} of each of {', '.join(packages)}; SEED={seed} repeats this")
    _print("package       planted  killed  by time  lived  equivalent   killed    took")
    results = []
    for package in packages:
        pid = os.fork()  # pytest collects once in a process
        if pid == 0:
            drawn = [
                one
                for one in mutants_of(package)
                if one.file.endswith(f"/{asked.module}.py") or not asked.module
            ]
            drawn = sample(drawn, asked.number, seed)
            result = _try(package, drawn, asked.jobs, module=asked.module, is_quick=asked.quick)
            _write(result, seed)
            _print(_row(result))
            sys.exit(result.share < LEAST_KILLED)
        results.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return int(any(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
