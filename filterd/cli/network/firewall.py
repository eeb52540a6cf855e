# SPDX-License-Identifier: Apache-2.0
"""Close the ways past filterd on a gateway: ``filterd firewall``."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from filterd.appliance import local_network
from filterd.appliance.machine_changes import is_a_service, run_program
from filterd.base.errors import ConfigErrors, FilterdError
from filterd.base.privileges import as_owner_of
from filterd.cli.context import Context, JsonOption, on_named_files, option
from filterd.daemon import policy_reader
from filterd.gateway.firewall import listed_addresses, nftables, ruleset
from filterd.gateway.firewall.nftables import Nft
from filterd.policy import policy_file
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.appliance.local_network import LocalNetwork
    from filterd.gateway.firewall.listed_addresses import ClosedAddresses
    from filterd.gateway.firewall.ruleset import Counted, FirewallPlan
    from filterd.policy.model import Policy
    from filterd.texts.i18n import Sentence

_LINKS_SERVICE, _SERVICE = "filterd-links.service", "filterd-firewall.service"
_MARK = Path("/etc/systemd/system/multi-user.target.wants") / _SERVICE
"""What has the service applied at each start; the unit asks for it, too."""


@on_named_files  # nftables is root's; what lies in the state folder is read as its owner
def show(
    here: Context,
    rules: Annotated[
        bool, option("--rules", "Print the rules of this site as text for nft.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what the firewall closes to each tier, and what it has counted.

    It counts packets that were refused and connections that came back to filterd, by tier and
    without addresses, since the rules were first applied. With --rules nothing is asked of the
    machine but its links. Exit code 0: the rules are in force, or are printed; 1: they are not in
    force; 2: an error.
    """
    policy, network = _policy(here), _network(here)
    plan, _ = _plan(policy, network)
    if rules:
        here.console.print(Text(ruleset.text(plan)), soft_wrap=True, end="")
        return
    listed = Nft().listed()
    is_loaded, found = nftables.is_loaded(listed), nftables.counted(listed)
    if json:
        here.print_json({"loaded": is_loaded, "tiers": _rows(plan, found)})
    elif is_loaded:
        here.print(say("The firewall is in force."))
        here.console.print(_table(here, plan, found))
    else:
        here.print(say("The firewall is not in force: sudo filterd firewall apply"))
    raise typer.Exit(0 if is_loaded else 1)


@on_named_files
def check(here: Context) -> None:
    """Check whether the rules of this site could be applied, without applying them.

    Exit code 0: they could; 1: they could, but something of this machine is in their way; 2: an
    error.
    """
    policy, network = _policy(here), _network(here)
    plan, addresses = _plan(policy, network)
    nft = Nft()
    nft.try_out(ruleset.text(plan))
    doubts = _doubts(policy, network, addresses, nft)
    for doubt in doubts:
        here.warn(doubt)
    here.print(say("nftables takes the rules of this site; nothing is changed."))
    raise typer.Exit(1 if doubts else 0)


@on_named_files
def apply(here: Context) -> None:
    """Close the ways past filterd to the devices that this machine forwards for.

    One table of nftables, inet filterd, is made from site.yaml and put in force at once; no other
    is touched. It stays when filterd ends or is updated, until `filterd firewall off`; on a gateway
    filterd-firewall.service applies it at each start of the machine and when site.yaml changes.
    If the rules are refused, nothing changes. Exit code 0: done; 2: an error, nothing is changed.
    """
    policy, network = _policy(here), _network(here)
    plan, addresses = _plan(policy, network)
    nft = Nft()
    counters = nftables.counted(nft.listed()) if _may_list(nft) else {}
    nft.load(ruleset.text(plan, counters))
    for doubt in _doubts(policy, network, addresses, nft):
        here.warn(doubt)
    here.print(say("The firewall is in force."))
    _at_each_start(here, is_on=True)


@on_named_files
def off(here: Context) -> None:
    """Take the rules of filterd away; all others stay as they are.

    Pupils' devices can then ask other resolvers, which `filterd status` says. Exit code 0: they are
    away; 2: an error.
    """
    Nft().remove()
    here.print(say("The firewall is off: its table is taken away."))
    _at_each_start(here, is_on=False)


def _policy(here: Context) -> Policy:
    """Return the policy of the site's files; the last good one where they are wrong."""
    with as_owner_of(here.state.folder):
        try:
            return policy_reader.of_files(here.config, here.state)
        except ConfigErrors as error:
            with contextlib.suppress(FilterdError):
                policy = policy_file.load(here.state.policy)
                here.warn(error.sentence)
                here.warn(say("The rules are made from the last policy that was right."))
                return policy
            raise


def _network(here: Context) -> LocalNetwork | None:
    """Return the network of this machine; None where it cannot be seen."""
    try:
        return asyncio.run(local_network.look())
    except FilterdError as error:
        here.warn(error.sentence)
        return None


def _plan(policy: Policy, network: LocalNetwork | None) -> tuple[FirewallPlan, ClosedAddresses]:
    addresses = listed_addresses.read()
    outward = frozenset[str]()
    if network is not None:
        inward = set(policy.lan_interfaces) or {one.name for one in network.lan}
        outward = network.outward - inward
    return ruleset.plan_of(policy, outward, addresses), addresses


def _may_list(nft: Nft) -> bool:
    """Return whether nftables lists rules; where not, loading them says why."""
    try:
        nft.listed()
    except FilterdError:
        return False
    return True


def _doubts(
    policy: Policy, network: LocalNetwork | None, addresses: ClosedAddresses, nft: Nft
) -> list[Sentence]:
    """Return what is in the way of the rules, one line each."""
    doubts = [
        say(
            "{place} diverts lookups, too, and may do so first: take that rule away, or see"
            " `nft list chain {place}`",
            place=place,
        )
        for place in nftables.diverting_elsewhere(nft.listed())
    ]
    if network is not None:
        there = {interface.name for interface in network.interfaces}
        doubts += [
            say(
                "networks.{network}: this machine has no interface {name}: `ip link` shows those"
                " that it has",
                network=one.id,
                name=name,
            )
            for one in policy.networks
            for name in one.interfaces
            if name not in there
        ]
    doubts += [
        say("addresses.yaml: {network} is not closed: {why}", network=str(network), why=why)
        for network, why in addresses.refused
    ]
    return doubts


def _rows(plan: FirewallPlan, found: dict[str, Counted]) -> list[dict[str, Any]]:
    names = [
        (one.tier, way, ruleset.counter_of(one.tier, way))
        for one in plan.tiers
        for way in sorted(one.ways)
    ]
    return [
        {"tier": tier, "way": way.value, "packets": found[name].packets if name in found else 0}
        for tier, way, name in names
    ]


def _table(here: Context, plan: FirewallPlan, found: dict[str, Counted]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (say("Tier"), say("Closed"), say("Packets")):
        table.add_column(here.texts(heading))
    for row in _rows(plan, found):
        table.add_row(row["tier"], row["way"], str(row["packets"]))
    return table


def _at_each_start(here: Context, *, is_on: bool) -> None:
    """Have the rules applied at each start of this machine, or not; and look at the links anew.

    Status and alerts go by root's look at the links.
    """
    if not is_a_service(here.config):
        return
    if is_on and not _MARK.is_symlink():
        _run(here, "add-wants", "multi-user.target", _SERVICE)
    elif not is_on and _MARK.is_symlink():
        _run(here, "disable", "--quiet", _SERVICE)
    _run(here, "start", "--no-block", _LINKS_SERVICE)


def _run(here: Context, *words: str) -> None:
    command = " ".join(("systemctl", *words))
    try:
        is_done = run_program(["systemctl", *words]).code == 0
    except OSError:
        is_done = False
    if not is_done:
        here.warn(say("the system refused it; do it by hand: sudo {command}", command=command))
