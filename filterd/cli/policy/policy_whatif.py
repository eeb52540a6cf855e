# SPDX-License-Identifier: Apache-2.0
"""``filterd policy whatif``: what another policy or other lists would have changed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.text import Text

from filterd import control
from filterd.base.errors import ConfigError, ConfigErrors, FilterdError, parts_of
from filterd.base.paths import make_folder, read_plain
from filterd.base.privileges import own_rights
from filterd.cli.context import Context, JsonOption, Options, option
from filterd.cli.render import listed
from filterd.cli.school_clock import wording_of
from filterd.cli.terminal import bar
from filterd.daemon.handlers.what_if_commands import AT_WORK, LIST_FILE
from filterd.operations.parameters.trial import Tried
from filterd.operations.policy import TryPolicy
from filterd.querylog import querylog_rows
from filterd.querylog.day_search import stored_days
from filterd.resolve.what_if_rows import differs, summary, tables
from filterd.texts.i18n import refused, say
from filterd.texts.rows import Row

_SAME, _DIFFERENT = 0, 1
_MOST_DAYS = 90
_MOST_FILES, _MOST_OCTETS = 2_000, 100_000_000
_SECRETS = "secrets"


class TriedWords(NamedTuple):
    """What is tried; ``copied``: a file or folder whose copy has the name of ``asked``."""

    asked: dict[str, Any]
    copied: Path | None = None

    def read(self, staged: str) -> Tried:
        """Return what is tried, with the name of the copy."""
        named: dict[str, Any] = {key: value or staged for key, value in self.asked.items()}
        return Tried(**named)


def tried(
    policy: Annotated[
        Path | None, option("--policy", "Try the site.yaml of another folder.", "DIR")
    ] = None,
    list_file: Annotated[
        Path | None, option("--list", "Try a list as the school's own.", "FILE")
    ] = None,
    category: Annotated[str, option("--category", "The category of that list.", "ID")] = "",
    list_format: Annotated[
        str, option("--format", "The syntax of its lines.", "FORMAT")
    ] = "domains",
    source: Annotated[
        str | None,
        option("--source", "Try public lists of `filterd lists sources`: ID,ID,...", "ID"),
    ] = None,
    feed: Annotated[
        str | None, option("--feed", "Try a version of the lists, held or earlier.", "VERSION")
    ] = None,
) -> TriedWords:
    """Return what is tried.

    Raises:
        ConfigError: it is not exactly one thing.
    """
    if sum(one is not None for one in (policy, list_file, source, feed)) != 1:
        raise ConfigError(
            say("one of these is tried at a time: --policy, --list, --source, --feed")
        )
    if list_file is not None:
        if not category:
            raise ConfigError(say("{missing} is missing", missing="--category"))
        return TriedWords({"list": "", "category": category, "format": list_format}, list_file)
    if policy is not None:
        return TriedWords({"site": ""}, policy)
    return TriedWords({"feed": feed} if source is None else {"source": source})


def whatif(
    here: Context,
    tried: Annotated[TriedWords, Options(tried)],
    days: Annotated[
        int, option("--days", "Number of days, with today.", "N", min=1, max=_MOST_DAYS)
    ] = 7,
    json: JsonOption = False,
) -> None:
    """Show which recorded lookups another policy or other lists would decide differently.

    Nothing that is in force changes. How much is known depends on the log level of each tier;
    without names, popular names are judged instead. The history records that you looked.
    Exit code 0: nothing would change; 1: something would; 2: an error.
    """
    with (
        _staged(here, tried.copied) as staged,
        bar(here, here.texts("Judging the recorded days"), visible=not json),
    ):
        try:
            answer = ask(here, TryPolicy(tried=tried.read(staged), days=days))
        except FilterdError as error:
            if tried.copied is None:
                raise
            raise _at_home(error, here.state.what_if / staged, tried.copied) from error
    if json:
        here.print_json(answer)
    else:
        print_effect(here, answer)
    raise typer.Exit(_DIFFERENT if differs(answer) else _SAME)


def ask(here: Context, asked: TryPolicy) -> Row:
    """Return what would change, by the daemon.

    Raises:
        FilterdError: it does not run, or refuses.
    """
    while AT_WORK in (answer := here.send(asked)):
        pass  # each answer takes most of a minute; the trial itself has an end
    return answer


def print_before(here: Context, **tried: Any) -> None:
    """Print in short what a decision would change, or why that is not known.

    Nothing is printed where no names are recorded or no daemon runs.
    """
    if not (stored_days(here.state.log_days) and control.is_running(here.state.control_socket)):
        return
    try:
        with bar(here, here.texts("Judging the recorded days")):
            lines = [*summary(ask(here, TryPolicy(tried=Tried(**tried))), wording_of(here))]
    except FilterdError as error:  # the decision is another matter
        why = error.translated(here.texts.language)
        lines = [here.texts("What this would have changed is not known: {why}", why=why)]
    for line in lines:
        here.console.print(Text(line, style="dim"), soft_wrap=True)


def print_effect(here: Context, answer: Row) -> None:
    """Print what would change."""
    wording = wording_of(here)
    for line in summary(answer, wording):
        here.console.print(Text(line), soft_wrap=True)
    for listing, rows in tables(answer):
        here.console.print(listed(wording, listing, rows))
    for line in querylog_rows.scope(answer, wording):
        here.console.print(Text(line, style="dim"), soft_wrap=True)


@contextlib.contextmanager
def _staged(here: Context, given: Path | None) -> Iterator[str]:
    """Copy a file or folder of this person to where the daemon can read it, for a while.

    Yields:
        Its name there; empty for None.

    Raises:
        ConfigError: it cannot be read, is too large, or this user may not copy it there.
    """
    if given is None:
        yield ""
        return
    try:
        make_folder(here.state.what_if, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix="given-", dir=here.state.what_if))
    except OSError as error:
        raise ConfigError(
            say("{path}: cannot be written: {why}", path=here.state.what_if, why=refused(error)),
            hint=say("run it with sudo"),
        ) from error
    try:
        _copy(given, folder)
        yield folder.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _at_home(error: FilterdError, copy: Path, given: Path) -> FilterdError:
    """Return an error whose places are in what was given, not in its copy."""
    parts = parts_of(error)
    if not parts:
        return error
    copied = str(copy if given.is_dir() else copy / LIST_FILE)
    return ConfigErrors(
        ConfigError(
            part.reason,
            path=part.path.replace(copied, str(given)),
            line=part.line,
            column=part.column,
            hint=part.hint,
        )
        for part in parts
    )


def _copy(given: Path, folder: Path) -> None:
    """Copy a file, or the plain files of a folder; no links, which may lead to any file of root's.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    left, texts = _MOST_OCTETS, list[tuple[Path, bytes]]()
    too_large = ConfigError(say("{path}: too large", path=given))
    with own_rights():
        files = [*islice(_files(given), _MOST_FILES + 1)]
        if len(files) > _MOST_FILES:
            raise too_large
        try:
            for path, name in files:
                texts.append((name, read_plain(path, left)))
                left -= len(texts[-1][1])
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise too_large from error
            raise ConfigError(
                say("{path}: cannot be read: {why}", path=given, why=refused(error))
            ) from error
    for name, text in texts:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)


def _files(given: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the path of each file, and its name in the copy."""
    if not given.is_dir():
        yield given, Path(LIST_FILE)
        return
    for folder, folders, files in os.walk(given):
        folders[:] = [one for one in folders if one != _SECRETS]
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                yield path, path.relative_to(given)
