# SPDX-License-Identifier: Apache-2.0
"""``filterd site``: put a site that was edited in the dashboard in force."""

from __future__ import annotations

from typing import Any

from filterd import control
from filterd.cli.context import Context
from filterd.i18n import say


def apply(here: Context) -> None:
    """Put the proposed site.yaml in force.

    On a gateway the daemon may not write site.yaml: an edit in the dashboard waits in the state
    folder until root applies it, which filterd-site.service does at once. It is checked again,
    nothing but site.yaml is written, and the former file comes back if the daemon refuses it.
    Exit code 0: it is in force; 2: an error, nothing is changed.
    """
    from filterd.appliance.site_edit import apply as put_in_force  # noqa: PLC0415 -- heavy

    def reload() -> dict[str, Any]:
        told: dict[str, Any] = control.ask(here.state.control_socket, "reload")
        return told

    put_in_force(here.config, here.state, reload)
    here.console.print(here.texts(say("The site is in force.")))
