# SPDX-License-Identifier: Apache-2.0
"""Put the site in force: ``filterd reload``, and ``site apply`` for an edit of the dashboard."""

from __future__ import annotations

from rich.text import Text

from filterd.base.state_file import to_plain
from filterd.cli.context import Context, JsonOption
from filterd.monitor.status_details import doubts
from filterd.operations.reload import Reload
from filterd.texts import counted
from filterd.texts.i18n import say


def reload(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Put the site's files and the compiled lists in force.

    If they are wrong, nothing changes. Exit code 0: done; 2: an error.
    """
    done = here.send(Reload())
    if json:
        here.print_json(to_plain(done))
        return
    here.print(
        say(
            "Reloaded: policy {policy}, {names} on {lists}.",
            policy=done.policy,
            names=counted.names(done.names),
            lists=counted.lists(done.lists),
        )
    )
    if done.restart_for:
        here.print(say("Restart filterd to change: {what}", what=", ".join(done.restart_for)))
    for doubt in doubts(done.doubts, here.texts):
        line = here.texts("warning: {warning}", warning=doubt)
        here.errors.print(Text(line, style="yellow"), soft_wrap=True)


def apply(here: Context) -> None:
    """Put the proposed site.yaml in force.

    On a gateway the daemon may not write site.yaml: an edit in the dashboard waits in the state
    folder until root applies it, which filterd-site.service does at once. It is checked again,
    nothing but site.yaml is written, and the former file comes back if the daemon refuses it.
    Exit code 0: it is in force; 2: an error, nothing is changed.
    """
    from filterd.appliance.setup.site_edit import apply as put_in_force  # noqa: PLC0415 -- heavy

    put_in_force(here.config, here.state, lambda: here.send(Reload()))
    here.print(say("The site is in force."))
