# SPDX-License-Identifier: Apache-2.0
"""``filterd cert``: the certificate of the dashboard."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

from filterd.appliance import local_network, machine_changes
from filterd.base.certificate_facts import CERTIFICATE, CertificateFacts
from filterd.base.errors import FilterdError
from filterd.base.privileges import own_rights
from filterd.base.state_file import to_plain
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.offline_site import policy_of
from filterd.cli.render import show_details
from filterd.policy import field_checks
from filterd.policy.model import LocalZone, Policy
from filterd.wire.name import to_text

BOX = "filterd"
"""The host name that people give the box, alone and in a local zone."""


def show(here: Context, json: JsonOption = False) -> None:
    """Show the certificate of the dashboard, with its fingerprint.

    Compare the fingerprint once with the one in the browser. Exit code 0: shown; 2: there is
    none, or an error.
    """
    from filterd.appliance.setup.web_certificate import CHAIN, facts_of  # noqa: PLC0415 -- heavy

    with _rights(here):
        _print(here, facts_of(here.state.web / CHAIN), json=json)


def make(
    here: Context,
    name: Annotated[
        list[str] | None, option("--name", "A further host name; can be repeated.", "NAME")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a new self-made certificate for this box.

    It is for the name filterd, the same in the site's local zone, the host name, and the
    addresses of the box. Browsers warn of it until its fingerprint was compared. Exit code 0:
    made; 2: an error.
    """
    from filterd.appliance.setup import web_certificate  # noqa: PLC0415 -- heavy

    zones: Iterable[LocalZone] = ()
    with contextlib.suppress(FilterdError):  # a site that is wrong needs the dashboard most
        zones = policy_of(here).local_zones
    names = [*_own_names(zones), *map(field_checks.name, name or ())]
    folder, addresses = here.state.web, _own_addresses()
    with _rights(here):
        places = folder / web_certificate.CHAIN, folder / web_certificate.KEY
        facts = web_certificate.make(*places, names, addresses, here.clock.wall())
    _put_in_service(here, facts, json=json)


def install(
    here: Context,
    certificate: Annotated[
        Path, argument("CERT", "The certificate and those of its authorities, PEM.")
    ],
    key: Annotated[Path, argument("KEY", "Its private key, PEM, without a passphrase.")],
    json: JsonOption = False,
) -> None:
    """Use a certificate that browsers know, in place of the self-made one.

    It is checked first: whether key and certificate belong together, its names and dates, and
    its strength. If it is refused, the old one stays in force. Exit code 0: in force; 2:
    refused, or an error.
    """
    from filterd.appliance.setup import web_certificate  # noqa: PLC0415 -- heavy

    with own_rights():
        offered = web_certificate.load(certificate, key, here.clock.wall())
    with _rights(here):
        facts = web_certificate.install(here.state.web, offered)
    _put_in_service(here, facts, json=json)


def ensure(here: Context, policy: Policy) -> CertificateFacts:
    """Return the facts of the certificate; make one where the names or addresses are others.

    Raises:
        FilterdError: the disk refused, or the addresses cannot be read.
    """
    from filterd.appliance.setup import web_certificate  # noqa: PLC0415 -- heavy

    names, addresses = _own_names(policy.local_zones), _own_addresses()
    with _rights(here):
        facts = web_certificate.ensure(here.state.web, names, addresses, here.clock.wall())
    with own_rights():
        machine_changes.restart_dashboard(here.config)
    return facts


def _own_names(zones: Iterable[LocalZone]) -> list[str]:
    zone = next((f"{BOX}.{to_text(one.name).rstrip('.')}" for one in zones), BOX)
    return list(dict.fromkeys((BOX, zone, socket.gethostname())))


def _own_addresses() -> list[str]:
    """Return the addresses by which the school reaches the box, then those of a tunnel."""
    network = asyncio.run(local_network.look())
    of_school = (str(one.ip) for link in network.lan for one in link.addresses)
    found = dict.fromkeys((*of_school, *sorted(network.own)))
    return [*(one for one in found if not one.startswith("fe80:")), "127.0.0.1", "::1"]


def _rights(here: Context) -> AbstractContextManager[None]:
    """Have root's rights for a folder of root's, those of the owner below the state folder."""
    is_below = here.state.web.is_relative_to(here.state.folder)
    return contextlib.nullcontext() if is_below else own_rights()


def _put_in_service(here: Context, facts: CertificateFacts, *, json: bool) -> None:
    with own_rights():
        machine_changes.restart_dashboard(here.config)
    _print(here, facts, json=json)


def _print(here: Context, facts: CertificateFacts, *, json: bool) -> None:
    show_details(here, CERTIFICATE, to_plain(facts), json=json)
