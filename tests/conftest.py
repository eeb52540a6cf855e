# SPDX-License-Identifier: Apache-2.0
"""Set up all tests: the environment, hypothesis, limits of time, needs, and controls."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support import closing, needs, rules_once, time_limit, yaml_once

if TYPE_CHECKING:
    from collections.abc import Iterator

globals().update(needs.FIXTURES)

# A test sees the same terminal, language and home wherever it runs.
os.environ.update(COLUMNS="80", LANG="C.UTF-8", LC_ALL="C.UTF-8", TERM="xterm")
for _name in ("NO_COLOR", "FORCE_COLOR", "LINES", "LANGUAGE", "HOME", "FILTERD_CONFIG"):
    os.environ.pop(_name, None)
os.umask(0o022)

# No deadline and no check of speed: they measure the machine, and machines are shared. The same
# examples each time: a suite that is green stays green; `make fuzz` draws others.
hypothesis.settings.register_profile(
    "filterd",
    deadline=None,
    derandomize="FILTERD_FUZZ_QUERIES" not in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("filterd")

CONTROL = "test_control_"
"""The prefix of tests that switch a safeguard off and expect the harm."""

OUTSIDE = frozenset(
    f"tests.support.{one}"
    for one in (
        *("browser.browser", "nsd.nsd", "promtool.promtool", "unbound.unbound"),
        *("packets.captured_packets", "shared_data.shared"),
    )
)
"""What starts a program of others, or reads their data."""

FEW = 0.15
"""Of the examples of a property: as many are drawn by ``make test``, all by ``make e2e``."""


@pytest.fixture(
    params=[pytest.param(FEW, id="few"), pytest.param(1.0, id="all", marks=pytest.mark.long)]
)
def _examples(request: pytest.FixtureRequest) -> Iterator[None]:
    test, given = request.function, request.function._hypothesis_internal_use_settings
    number = round(given.max_examples * request.param)
    test._hypothesis_internal_use_settings = hypothesis.settings(given, max_examples=number)
    yield
    test._hypothesis_internal_use_settings = given


@pytest.fixture(scope="session", autouse=True)
def _once() -> None:
    yaml_once.remember()
    rules_once.remember()


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(name: str, obj: object) -> None:
    """Test each property twice, once with few examples; a control needs all of its own."""
    if getattr(obj, "is_hypothesis_test", False) and not name.startswith(CONTROL):
        pytest.mark.usefixtures("_examples")(obj)


def pytest_configure(config: pytest.Config) -> None:
    """Set a limit of time for each test."""
    config.pluginmanager.register(time_limit)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run fail in which all was skipped: it has shown nothing."""
    if closing.BY_FORKS in session.config.stash:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    counts = {word: len(stats.get(word, ())) for word in ("passed", "failed", "error", "skipped")}
    shown = counts["passed"] + counts["failed"] + counts["error"]
    if wrong := closing.nothing_shown(shown, counts["skipped"]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        sys.stdout.write(f"\n{wrong}\n")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark controls by their names: ``make test`` leaves them to ``make test-controls``.

    What needs a browser, another resolver, or the lists outside of the project is long, too:
    ``make test`` shows the same with and without them.
    """
    needs.use_marked(items)
    reaching = [one for one in needs.one_of_each(items) if needs.reaches(one, OUTSIDE)]
    outside = {needs.definition(one) for one in reaching}
    for item in items:
        if isinstance(item, pytest.Function) and needs.definition(item) in outside:
            item.add_marker(pytest.mark.long)
        if item.name.startswith(CONTROL):
            item.add_marker(pytest.mark.control)
    if undeclared := needs.find_undeclared(items):
        raise pytest.UsageError("\n".join(undeclared))
