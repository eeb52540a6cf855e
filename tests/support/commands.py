# SPDX-License-Identifier: Apache-2.0
"""Run the command ``filterd``: in this process, which is fast, or in a child."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import typer

from filterd.cli import tree
from filterd.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "policies"


class Outcome(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        return self.err.splitlines()


def environment(**changes: str) -> dict[str, str]:
    """Return an environment without variables of filterd but the given ones."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FILTERD_")}
    kept.pop("NO_COLOR", None)
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "LANG": "C.UTF-8", **changes}


@contextlib.contextmanager
def _same_logging() -> Iterator[None]:
    """Have what a command sets for its process end with it: other tests follow in this one."""
    logger, root = logging.getLogger("filterd"), logging.getLogger()
    was = logger.level, root.manager.disable, root.level, root.handlers[:]
    try:
        yield
    finally:
        logging.disable(was[1])
        logger.setLevel(was[0])
        root.setLevel(was[2])
        root.handlers[:] = was[3]


_make_app, _command_of = tree._app, cache(typer.main.get_command)


@cache
def _app_of(
    commands: tuple[str, ...], function_of: Callable[[str], Callable[..., None]], *_: Any
) -> typer.Typer:
    return _make_app(commands, function_of)


def _app_made_once(
    commands: Iterable[str], function_of: Callable[[str], Callable[..., None]]
) -> typer.Typer:
    """Return the commands as ``tree`` makes them; those of the same functions are made once."""
    called = tuple(commands)
    places = map(tree._place, called)
    bodies = (getattr(import_module(module), name) for module, name in places)
    return _app_of(called, function_of, *(bodies if function_of is tree._function else ()))


def call(*arguments: str | Path, **changes: str) -> Outcome:
    """Run the command here."""
    out, err = io.StringIO(), io.StringIO()
    words = ["filterd", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", words),
        mock.patch.object(tree, "_app", _app_made_once),
        mock.patch.object(typer.main, "get_command", _command_of),
        mock.patch.dict(os.environ, environment(**changes), clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _same_logging(),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Outcome(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def run(*arguments: str | Path, cwd: Path = ROOT, **changes: str) -> Outcome:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "filterd", *map(str, arguments)],
        cwd=cwd,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
