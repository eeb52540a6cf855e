# SPDX-License-Identifier: Apache-2.0
"""The commands of ``filterd`` by name; only the module of the called one is imported.

All of them together take a second to import, on a small board several. Help of ``filterd``
and of a group needs names and first lines only; these are read from the compiled modules
without running them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from types import CodeType
from typing import Annotated, Any

import typer

from filterd.cli.context import (
    ConfigOption,
    LangOption,
    StateOption,
    keep_options,
    option,
    runnable,
)
from filterd.version import __version__

_HELP = """The DNS filter of a school: every lookup answered by age tier.

`filterd COMMAND --help` shows more about one, `filterd help WORD` finds one. What
`allow`, `room set`, `exam start` and the like change is in force at once, is recorded
with author and reason, and can be taken back by `undo`.

Exit code 0: done, or the name passes; 1: it is blocked, or nothing was found; 2: an
error.
"""

_GROUPS = {
    "lists": "Compile and follow lists, show their status, find a name in them.",
    "policy": "Check the site's files, and show what each grade may use.",
    "log": "Show what the daemon has counted and recorded.",
    "alerts": "Show the active alerts, and test how they are sent.",
    "exceptions": "Show and end what `allow`, `block` and `pause` have set.",
    "requests": "Show, approve and refuse what classes ask the school to open.",
    "room": "Show and set which grade is in which room.",
    "devices": "Show the devices, name them, and put them into classes and rooms.",
    "exam": "Limit a room to what an exam needs.",
    "safesearch": "Verify the hosts of safe modes.",
    "timetable": "Read and write the timetables of rooms as a table.",
    "class": "Show the classes, and lend one to a substitute teacher.",
    "services": "Show services, such as youtube or zalo.",
    "history": "Show who changed what, and check that nothing was altered.",
    "site": "Put an edit of the dashboard in force.",
    "release": "The releases of filterd on this machine; its package and its updates use it.",
    "import": "Take over the settings of a Pi-hole or AdGuard Home.",
    "account": "Accounts of the dashboard: people, phones and programs.",
    "cert": "The certificate of the dashboard.",
    "clock": "Accept the clock of this machine as right.",
    "firewall": "Close the ways past filterd on a gateway.",
    "feed": "The signed feed of lists: follow it, or publish it.",
    "fleet": "Enrol gateways with their province.",
    "inspect": "Make the record of an inspection, or verify one.",
}
"""The help of each group."""
_COMMANDS = {
    "allow": "school.exceptions.allow",
    "block": "school.exceptions.block",
    "pause": "school.exceptions.pause",
    "undo": "school.history.undo",
    "report-mistake": "school.report_mistake.report_mistake",
    "report": "log.report.report",
    "inspect make": "log.inspection.make",
    "inspect verify": "log.inspection.verify",
    "fleet enrol": "box.fleet.enrol",
    "fleet sign": "box.fleet.sign",
    "serve": "box.serve.serve",
    "sync": "feed.feed_sync.sync",
    "check": "school.check.check",
    "reload": "box.site.reload",
    "status": "school.status.status",
    "top": "log.top.top",
    "doctor": "box.doctor.doctor",
    "firewall show": "network.firewall.show",
    "firewall check": "network.firewall.check",
    "firewall apply": "network.firewall.apply",
    "firewall off": "network.firewall.off",
    "monitor": "box.serve.monitor",
    "web": "box.serve.web",
    "blockpage": "box.blockpage.blockpage",
    "poster": "box.blockpage.poster",
    "setup": "box.setup.setup",
    "update": "box.update.update",
    "backup": "box.backup.backup",
    "restore": "box.backup.restore",
    "init": "policy.policy.init",
    "completion": "completion.completion",
    "man": "help_pages.man",
    "help": "help_search.search",
    "site apply": "box.site.apply",
    "release list": "box.update.release_list",
    "release activate": "box.update.activate",
    "release rollback": "box.update.rollback",
    "release restore": "box.update.restore",
    "release test": "box.update.release_test",
    "import pihole": "box.import_settings.pihole",
    "import adguard": "box.import_settings.adguard",
    "lists build": "lists.lists.build",
    "lists status": "lists.lists.status",
    "lists report": "lists.lists.report",
    "lists search": "lists.lists.search",
    "lists follow": "lists.lists_follow.follow",
    "lists unfollow": "lists.lists_follow.unfollow",
    "lists update": "lists.lists_follow.update",
    "lists sources": "lists.lists_follow.sources",
    "lists exclude": "lists.lists_follow.exclude",
    "lists history": "feed.feed_status.history",
    "policy validate": "policy.policy.validate",
    "policy show": "policy.policy.show",
    "policy tree": "policy.policy.tree",
    "policy set": "policy.policy_settings.set_",
    "policy diff": "policy.policy_diff.diff",
    "policy test": "policy.policy.hold",
    "policy history": "policy.policy_settings.history",
    "policy undo": "policy.policy_settings.undo",
    "policy whatif": "policy.policy_whatif.whatif",
    "log totals": "log.log.totals",
    "log export": "log.log_export.export",
    "log help": "log.log.help_",
    "log level": "log.log.level",
    "log confirm": "log.log.confirm",
    "log tail": "log.log_tail.tail",
    "log search": "log.log_search.search",
    "log top": "log.log_search.top",
    "log new": "log.log_search.new",
    "log why": "log.log_search.why",
    "log names": "log.log_search.names",
    "log forget": "log.log_search.forget",
    "log purge": "log.log_search.purge",
    "alerts list": "school.alerts.list_",
    "alerts test": "school.alerts.send_test",
    "exceptions list": "school.exceptions.list_",
    "exceptions revoke": "school.exceptions.revoke",
    "requests list": "operations.review_requests.ReadRequests",
    "requests approve": "school.exceptions.approve",
    "requests refuse": "operations.review_requests.RefuseRequest",
    "room list": "school.room.list_",
    "room show": "school.room.show",
    "room set": "school.room.set_",
    "room learn": "school.room.learn",
    "room import": "school.room.import_",
    "room export": "school.room.export",
    "devices list": "operations.devices.ReadDevices",
    "devices name": "school.devices.name",
    "devices assign": "school.devices.assign",
    "devices unassign": "school.devices.unassign",
    "devices nat": "school.devices.nat",
    "exam learn": "school.exam.learn",
    "exam start": "school.exam.start",
    "exam stop": "school.exam.stop",
    "exam list": "school.exam.list_",
    "safesearch verify": "lists.safesearch.verify",
    "timetable import": "school.timetable.import_",
    "timetable export": "school.timetable.export",
    "timetable diff": "school.timetable.diff",
    "class list": "school.school_class.list_",
    "class show": "school.school_class.show",
    "class lend": "school.school_class.lend",
    "services list": "school.check.services_list",
    "services show": "school.check.service_show",
    "history list": "school.history.list_",
    "history verify": "school.history.verify",
    "account list": "operations.accounts.ReadAccounts",
    "account add": "school.account.add",
    "account passwd": "school.account.passwd",
    "account roles": "operations.accounts.SetRoles",
    "account disable": "operations.accounts.DisableAccount",
    "account enable": "operations.accounts.EnableAccount",
    "account totp": "school.account.totp",
    "account recovery": "school.account.recovery",
    "account code": "school.account.code",
    "account recover": "school.account.recover",
    "account token-add": "school.account.token_add",
    "account token-list": "operations.api_tokens.ReadTokens",
    "account token-revoke": "operations.api_tokens.RevokeToken",
    "account device-list": "operations.enrolled_devices.ReadEnrolledDevices",
    "account device-code": "school.account.device_code",
    "account device-confirm": "operations.enrolled_devices.ConfirmDevice",
    "account device-revoke": "operations.enrolled_devices.RevokeDevice",
    "cert show": "box.cert.show",
    "cert make": "box.cert.make",
    "cert install": "box.cert.install",
    "clock accept": "school.clock.accept",
    "feed trust": "feed.feed_admin.trust",
    "feed status": "feed.feed_status.status",
    "feed history": "feed.feed_status.history",
    "feed approve": "feed.feed_admin.approve",
    "feed refuse": "feed.feed_admin.refuse",
    "feed rollback": "feed.feed_admin.rollback",
    "feed hold": "feed.feed_admin.hold",
    "feed init": "feed.feed_keys.init",
    "feed build": "feed.feed_build.build",
    "feed review": "feed.feed_review.review",
    "feed mistakes": "feed.feed_mistakes.mistakes",
    "feed publish": "feed.feed_publish.publish",
    "feed sign": "feed.feed_publish.sign",
    "feed sign-program": "feed.feed_publish.sign_program",
    "feed release-hold": "feed.feed_keys.release_hold",
    "feed rotate-key": "feed.feed_keys.rotate_key",
    "feed verify": "feed.feed_publish.verify",
    "feed diff": "feed.feed_build.diff",
}
"""The module of each command with its function, in the order of the help; or with the request
of the operation of which ``binding`` makes it."""
_OPERATIONS = "operations."
_HELP_OPTIONS = ["-h", "--help"]
_MEANT = {"inspect": "make"}
"""The command that the name of a group alone means."""
_VALUED = ("--config", "--state", "--lang")
"""Options that may stand before a command's name, and take a value."""


def of(words: Sequence[str]) -> typer.Typer:
    """Return ``filterd`` with the one command that the words call.

    Where they call none, it has the names and summaries of all commands that they may mean.

    Args:
        words: after ``filterd``.
    """
    first, second = (*names_in(words), "", "")[:2]
    called = f"{first} {second}" if first in _GROUPS else first
    if called in _COMMANDS:
        return _app([called], _function)
    beneath = f"{first} " if first in _GROUPS else ""
    return _app([one for one in _COMMANDS if one.startswith(beneath)], _summary)


def completed(words: Sequence[str]) -> list[str]:
    """Return the words with the command that a group means: ``inspect`` is ``inspect make``."""
    names = [*names_in(words), "", ""]
    meant = _MEANT.get(names[0])
    if meant is None or names[1] in names_beneath(names[:1]) or set(_HELP_OPTIONS) & set(words):
        return list(words)
    behind = words.index(names[0]) + 1
    return [*words[:behind], meant, *words[behind:]]


def whole() -> typer.Typer:
    """Return ``filterd`` with all its commands."""
    return _app(_COMMANDS, _function)


def names_in(words: Sequence[str]) -> list[str]:
    """Return the words that are neither options nor their values before a command's name.

    An option for help ends them: the help is that of the group before it.
    """
    names = []
    rest = iter(words)
    for word in rest:
        if word in _VALUED:
            next(rest, None)
        elif word in _HELP_OPTIONS:
            break
        elif not word.startswith("-"):
            names.append(word)
    return names


def names_beneath(names: Sequence[str]) -> list[str]:
    """Return the names that may follow these: of commands, or of those of a group."""
    if not names:
        return list(dict.fromkeys(one.split(" ")[0] for one in _COMMANDS))
    if len(names) > 1 or names[0] not in _GROUPS:
        return []
    return [one.split(" ")[1] for one in _COMMANDS if one.startswith(f"{names[0]} ")]


def helps() -> Iterator[tuple[str, str]]:
    """Yield the name of each command with its help; no module of a command is imported."""
    for command in _COMMANDS:
        module, name = _place(command)
        yield command, cleandoc(_docstrings(module)[name] or "")


def parameters_of(words: Sequence[str]) -> tuple[str, list[Any]] | None:
    """Return the name and the parameters of the command that the words call, None for none."""
    called = " ".join(names_in(words)[:2])
    name = next((one for one in (called, called.split(" ")[0]) if one in _COMMANDS), None)
    if name is None:
        return None
    command: Any = typer.main.get_command(_app([name], _function))
    for part in name.split(" "):
        command = getattr(command, "commands", {}).get(part, command)
    return name, command.params


def _app(commands: Iterable[str], function_of: Callable[[str], Callable[..., None]]) -> typer.Typer:
    app = typer.Typer(
        name="filterd",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": _HELP_OPTIONS},
    )
    app.callback()(_before)
    groups: dict[str, typer.Typer] = {}
    for command in commands:
        group, _, name = command.rpartition(" ")
        if group and group not in groups:
            groups[group] = typer.Typer(help=_GROUPS[group], no_args_is_help=True)
            groups[group].callback()(keep_options)
            app.add_typer(groups[group], name=group)
        (groups[group] if group else app).command(name)(function_of(command))
    return app


def _function(command: str) -> Callable[..., None]:
    module, name = _place(command)
    if not _COMMANDS[command].startswith(_OPERATIONS):
        return runnable(getattr(import_module(module), name))
    from filterd.cli.binding import command_of  # noqa: PLC0415 -- for some commands only

    return runnable(command_of(import_module(module), name))


def _place(command: str) -> tuple[str, str]:
    """Return the module of a command, and the name of its function or request there."""
    module, _, name = _COMMANDS[command].rpartition(".")
    package = "filterd" if module.startswith(_OPERATIONS) else "filterd.cli"
    return f"{package}.{module}", name


def _summary(command: str) -> Callable[..., None]:
    """Return a function that has the docstring of a command, whose module is not imported."""
    module, name = _place(command)

    def listed() -> None:  # never called: for the words of a command ``of`` takes ``_function``
        raise AssertionError(command)

    listed.__doc__ = _docstrings(module)[name]
    return listed


@cache
def _docstrings(module: str) -> dict[str, str | None]:
    """Return the docstring of each function and class of a module, from its compiled code."""
    spec: Any = find_spec(module)
    constants = spec.loader.get_code(spec.name).co_consts
    named = (
        constant for constant in constants if isinstance(constant, CodeType) and constant.co_consts
    )
    # The first constant of a class is its name.
    return {
        one.co_name: next(
            (text for text in one.co_consts if isinstance(text, str) and text != one.co_name), None
        )
        for one in named
    }


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"filterd {__version__}\n")
        raise typer.Exit


def _before(
    given: typer.Context,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
    _version: Annotated[
        bool, option("--version", "Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    given.obj = {"config": config, "state": state, "lang": lang}
