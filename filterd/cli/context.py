# SPDX-License-Identifier: Apache-2.0
"""What every command needs: which site, which state, which language, where to print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from filterd.errors import FilterdError
from filterd.paths import SYSTEM_CONFIG, SYSTEM_STATE, StateFolder
from filterd.texts import Language, Texts

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="FILTERD_CONFIG",
        metavar="DIR",
        help="Folder of site.yaml. [default: /etc/filterd, else ./policies]",
        show_default=False,
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="FILTERD_STATE",
        metavar="DIR",
        help="Folder of compiled lists and policy. [default: /var/lib/filterd, else ./.state]",
        show_default=False,
    ),
]
LangOption = Annotated[
    str | None,
    typer.Option(
        "--lang",
        envvar="FILTERD_LANG",
        metavar="vi|en",
        help="Language of messages. [default: that of the site]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@dataclass(frozen=True, slots=True)
class Context:
    """A command's surroundings."""

    config: Path
    state: StateFolder
    texts: Texts
    console: Console
    errors: Console

    def print_json(self, data: Any) -> None:
        """Print data for a script: no colour, no wrapping, UTF-8."""
        self.console.print_json(data=data, ensure_ascii=False, highlight=False, indent=2)


def context(
    given: typer.Context, config: Path | None, state: Path | None, lang: str | None
) -> Context:
    """Work out where everything is: as the command says, as stands before it, or as usual."""
    before: dict[str, Any] = given.obj or {}
    config = config or before.get("config") or default_config()
    state = state or before.get("state") or default_state(config)
    language = _language(lang or before.get("lang"), config)
    return Context(
        config,
        StateFolder(state),
        Texts(language),
        Console(highlight=False, soft_wrap=False),
        Console(stderr=True, highlight=False, soft_wrap=True),
    )


def default_config() -> Path:
    """Return the system's site if there is one, else the folder beside us."""
    return SYSTEM_CONFIG if (SYSTEM_CONFIG / "site.yaml").exists() else Path("policies")


def default_state(config: Path) -> Path:
    """Return the state folder that goes with a site."""
    return SYSTEM_STATE if config == SYSTEM_CONFIG else Path(".state")


def _language(given: str | None, config: Path) -> Language:
    if given is None:
        given = _language_of_site(config)
    if given not in ("vi", "en"):
        raise typer.BadParameter(
            f"'{given}' is no language here; use vi or en", param_hint="--lang"
        )
    return "vi" if given == "vi" else "en"


def _language_of_site(config: Path) -> str:
    """Return what the site's file says; English where it says nothing that can be read."""
    from filterd.documents import load  # noqa: PLC0415 -- YAML is slow to import and rarely needed

    try:
        data = load(config / "site.yaml").data
    except FilterdError:
        return "en"
    language = data.get("language", "vi") if isinstance(data, dict) else "vi"
    return language if language in ("vi", "en") else "en"
