# SPDX-License-Identifier: Apache-2.0
"""Serve the set-up by pages: the socket that the web process asks, the code, and the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from filterd.appliance.setup.first_boot import FirstBoot, SetupResult, claim_code
from filterd.appliance.setup.interview import KEPT, Interview, KeptAnswers
from filterd.appliance.setup.site_answers import change
from filterd.appliance.setup.site_writer import UNNAMED, Plain, read_text, rewritten
from filterd.base.errors import ConfigError
from filterd.base.paths import SYSTEM_CONFIG
from filterd.base.service_manager import READY, notify
from filterd.cli.box.setup import interview_of, put_changed
from filterd.cli.box.setup_finish import SetupFinish
from filterd.cli.context import Context
from filterd.daemon.handlers.control_caller import WEB_GROUP
from filterd.daemon.handlers.control_server import ControlServer
from filterd.texts.i18n import Sentence, Texts, language_of, say

CODE_FILE = "filterd-code.txt"
BOOT_PARTITIONS = (Path("/boot/firmware"), Path("/boot"))
CONSOLE = Path("/dev/tty1")
_logger = logging.getLogger("filterd.setup")


def is_set_up(here: Context, site: Plain) -> bool:
    """Return whether this gateway was set up: then no page may ever claim it again."""
    kept = KEPT.read(here.state.answers)
    is_named = (site.get("school") or {}).get("name", UNNAMED) != UNNAMED
    return is_named or here.state.accounts.exists() or (kept is not None and kept.is_done)


def serve(here: Context) -> None:
    """Serve the set-up until it is done, or a signal to stop; no one may have set it up before.

    Raises:
        FilterdError: the site cannot be read, or the socket not be made.
    """
    text, site = read_text(here.config)
    if is_set_up(here, site):
        here.print(say("This gateway is set up already."))
        return
    found = interview_of(site, KeptAnswers({}))
    machine = replace(found.machine, read_table=None)  # a page names no file of this machine
    code = claim_code()

    def finish(answered: Interview, show: Callable[[Sentence], None]) -> SetupResult:
        return _finished(here, text, site, answered, show)

    boot = FirstBoot(
        machine,
        found.before,
        code,
        finish,
        here.clock,
        lambda: is_set_up(here, read_text(here.config)[1]),
    )
    with code_shown(here, code):
        asyncio.run(_served(here, boot))


async def _served(here: Context, boot: FirstBoot) -> None:
    server = ControlServer(
        here.state.setup_socket, boot.commands(), [WEB_GROUP], granting=boot.granting
    )
    await server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, boot.ended.set)
    notify(READY)
    keeping = asyncio.get_running_loop().create_task(server.keep())
    try:
        await boot.ended.wait()
    finally:
        keeping.cancel()
        await server.close()


@contextlib.contextmanager
def code_shown(here: Context, code: str) -> Iterator[None]:
    """Show the code on the console and on the boot partition, until the set-up ends."""
    texts = Texts("vi"), Texts("en")
    invitation = say("To set up filterd, open https://ADDRESS-OF-THIS-BOX:8443/setup")
    lines = [*(text(invitation) for text in texts), f"Code / Mã: {code}"]
    content = "\n".join(lines) + "\n"
    here.console.print(Text(content))
    written = list[Path]()
    parts = (one / CODE_FILE for one in BOOT_PARTITIONS if one.is_mount())
    for path in (CONSOLE, *parts) if here.config == SYSTEM_CONFIG else ():
        try:
            path.write_text(content, encoding="utf-8")
            written.append(path)
        except OSError as error:
            _logger.warning("%s: %s", path, error)
    try:
        yield
    finally:
        for path in written:
            if path != CONSOLE:
                path.unlink(missing_ok=True)


class _PageDisplay:
    """Takes what a set-up reports, for a page."""

    def __init__(self, texts: Texts, show: Callable[[Sentence], None]) -> None:
        self.texts, self._show = texts, show

    def say(self, text: Sentence, style: str = "") -> None:  # noqa: ARG002 -- a page has no colours
        """Show a paragraph."""
        self._show(text)


def _finished(
    here: Context,
    text: str,
    site: Plain,
    interview: Interview,
    show: Callable[[Sentence], None],
) -> SetupResult:
    """Write the site, and do what follows.

    Raises:
        FilterdError: the site is not written; or someone set this gateway up in another way.
    """
    if is_set_up(here, read_text(here.config)[1]):
        raise ConfigError(say("This gateway is set up already."))
    display = _PageDisplay(Texts(language_of(interview.get("language"))), show)
    put_changed(here.config, text, rewritten(text, change(site, interview), display.texts.language))
    done = SetupFinish(here, display, interview)
    done.run()
    return SetupResult(done.sheet_text, "" if done.sign_in is None else done.sign_in.code)
