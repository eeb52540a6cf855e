# SPDX-License-Identifier: Apache-2.0
"""Reader of the lease files of two DHCP servers.

It blocks, so it runs in a thread.

dnsmasq (``--dhcp-leasefile``) rewrites its file at every change::

    1764574200 02:00:5e:10:00:01 192.168.6.20 may-tinh-1 01:02:00:5e:10:00:01
    duid 00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:ff
    1764574200 6123 fd00:6::20 may-tinh-1 00:03:00:01:02:00:5e:10:00:01

Fields: expiry (Unix time, 0 for never), MAC, address, host name or ``*``,
client identifier or ``*``. Behind the line ``duid``, the server's own, come IPv6
leases: an IAID stands in the place of the MAC, with ``T`` before it for a
temporary address, and the device's DUID at the end. A MAC that is no Ethernet
address has its type and a hyphen before it. Lines that begin with other words
are of later versions.

Kea (``memfile``) writes CSV journals, one for IPv4 and one for IPv6. The first line
names the columns, which differ between versions. Each change is one more line, so
the last line of an address counts. Every hour or so Kea moves the journal to
``FILE.1`` and begins a new one; ``kea-lfc`` then makes ``FILE.2`` of both, by way of
``FILE.completed``. ``kea_parts`` returns which files exist now.

``state`` is 0 for an active lease; else it was declined, released or reclaimed.
``valid_lifetime`` 0 removes a lease, and 4294967295 means for ever. An IPv6 lease
is for one address (``lease_type`` 0) or for a prefix, which belongs to no device.
"""

from __future__ import annotations

import logging
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from filterd.clients.leases import (
    Lease,
    device_of_duid,
    host_label,
    latest,
    lines_of,
    parse_address,
    parse_mac,
)
from filterd.i18n import refused, say
from filterd.paths import open_plain
from filterd.policy.model import LeaseFile, LeaseFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv6Address

    from filterd.i18n import Sentence

_log = logging.getLogger("filterd.clients")

_LARGEST_FILE = 16 * 1024 * 1024
"""A hundred thousand changes: Kea writes one a line, and begins a new file every hour."""

Mark: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Path, inode, size and modification time of each file: it changes when a file does."""

_DIGITS_OF_A_TIME = 12
_DNSMASQ_FIELDS = 5
_FOR_EVER = 0xFFFF_FFFF
_MOST_COLUMNS = 40
_NEEDED = frozenset(("address", "valid_lifetime", "expire", "hostname"))


class LeaseFiles:
    """The lease files that a policy names."""

    def __init__(self, files: tuple[LeaseFile, ...]) -> None:
        self._files = files
        self._failing: set[str] = set()

    def mark(self) -> Mark:
        """Return a mark that differs when ``read`` would find something else."""
        paths = [path for file in self._files for path in _parts(file)]
        return tuple(_mark(path) for path in paths)

    def read(self) -> tuple[Lease, ...]:
        """Return all leases but those of files that cannot be read. Never raises."""
        return latest(lease for file in self._files for lease in self._leases(file))

    def _leases(self, file: LeaseFile) -> tuple[Lease, ...]:
        contents = list(self._contents(file))
        if file.format is LeaseFormat.KEA:
            return parse_kea(contents)
        return parse_dnsmasq(b"".join(contents))

    def _contents(self, file: LeaseFile) -> Iterator[bytes]:
        for path in _parts(file):
            try:
                with open_plain(Path(path)) as opened:
                    content = opened.read(_LARGEST_FILE + 1)
            except FileNotFoundError:
                # A server that has never given a lease has no file, and Kea
                # has most of its parts only now and then.
                continue
            except OSError as error:
                self._warn(path, refused(error))
                continue
            if len(content) > _LARGEST_FILE:
                self._warn(path, say("it is larger than 16 MiB"))
                continue
            self._failing.discard(path)
            yield content

    def _warn(self, path: str, why: Sentence) -> None:
        if path not in self._failing:
            self._failing.add(path)
            _log.warning("%s: %s: its leases are not known; see `leases` in site.yaml", path, why)


def _parts(file: LeaseFile) -> tuple[str, ...]:
    return kea_parts(file.path) if file.format is LeaseFormat.KEA else (file.path,)


def _mark(path: str) -> tuple[str, int, int, int]:
    try:
        status = Path(path).stat()
    except OSError:
        return (path, 0, 0, 0)
    return (path, status.st_ino, status.st_size, status.st_mtime_ns)


def parse_dnsmasq(content: bytes) -> tuple[Lease, ...]:
    """Return the leases of a file of dnsmasq. Never raises, whatever the content."""
    return latest(_dnsmasq_leases(content))


def _dnsmasq_leases(content: bytes) -> Iterator[Lease]:
    for line in lines_of(content):
        fields = line.split(" ")
        if len(fields) >= _DNSMASQ_FIELDS and (lease := _dnsmasq_lease(fields)):
            yield lease


def _dnsmasq_lease(fields: list[str]) -> Lease | None:
    expires, mac_or_iaid, text, host, identifier = fields[:_DNSMASQ_FIELDS]
    address = parse_address(text)
    if address is None or not expires.isdecimal() or len(expires) > _DIGITS_OF_A_TIME:
        return None
    if isinstance(address, IPv4Address):
        mac = device = parse_mac(mac_or_iaid)
    else:
        mac, device = None, device_of_duid(identifier)
    if device is None:
        return None
    return Lease(address, mac, device, host_label(host), float(expires) or None)


class _Row(NamedTuple):
    """An address, and its lease if it has one from this line on."""

    address: IPv4Address | IPv6Address
    lease: Lease | None


def kea_parts(path: str) -> tuple[str, ...]:
    """Return the files that make up a journal now, the oldest first."""
    completed = f"{path}.completed"
    before = (completed,) if Path(completed).exists() else (f"{path}.2", f"{path}.1")
    return (*before, path)


def parse_kea(contents: Iterable[bytes]) -> tuple[Lease, ...]:
    """Return the leases that are active after these journals of Kea. Never raises.

    Args:
        contents: what is in the files, the oldest first.
    """
    in_force: dict[IPv4Address | IPv6Address, Lease | None] = {}
    for content in contents:
        in_force.update((row.address, row.lease) for row in _rows(content))
    return latest(lease for lease in in_force.values() if lease)


def _rows(content: bytes) -> Iterator[_Row]:
    lines = lines_of(content)
    columns = next(lines, "").split(",")
    if len(columns) > _MOST_COLUMNS or not _NEEDED.issubset(columns):
        return
    for line in lines:
        row = _row(dict(zip(columns, line.split(","), strict=False)))
        if row:
            yield row


def _row(fields: dict[str, str]) -> _Row | None:
    address = parse_address(fields.get("address", ""))
    if address is None or fields.get("lease_type", "0") != "0":
        return None
    lifetime, expires = (_number(fields.get(key, "")) for key in ("valid_lifetime", "expire"))
    if lifetime is None or expires is None:
        return None
    if fields.get("state", "0") != "0" or lifetime == 0:
        return _Row(address, None)
    mac = parse_mac(fields.get("hwaddr", ""))
    device = device_of_duid(fields["duid"]) if "duid" in fields else mac
    if device is None:
        return _Row(address, None)
    ends = None if lifetime == _FOR_EVER else float(expires)
    return _Row(address, Lease(address, mac, device, host_label(fields.get("hostname", "")), ends))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS_OF_A_TIME else None
