# SPDX-License-Identifier: Apache-2.0
"""``filterd feed init``, ``rotate-key``, ``release-hold``: commands with offline keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from securesystemslib.signer import CryptoSigner, Key

from filterd.base.errors import ConfigError
from filterd.base.paths import open_plain, write_atomically
from filterd.base.value_class import frozen
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.render import facts
from filterd.cli.terminal import ask_secret, bar
from filterd.feed.version_files import DELEGATED, FLEET, ONLINE
from filterd.publish import hold_release
from filterd.publish.keys import ORDERS, PROGRAM, ROOT, ROOT_KEYS, KeyFolder, load_key
from filterd.publish.parcels import read_parcel
from filterd.publish.program_packages import read_program
from filterd.publish.publication import Published, refuse_second
from filterd.publish.release import publishing
from filterd.publish.repository import Repository
from filterd.publish.root_changes import RootChanges
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import say, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.publish.repository import Signers

PASSPHRASE_VARIABLE = "FILTERD_FEED_PASSPHRASE"  # noqa: S105 -- where one stands, not one
KEYS, PUBLIC, ROOT_FILE = "keys", "public", "root.json"
ROLES = (ROOT, *ONLINE, *DELEGATED, FLEET)

_CARRIED = {
    ORDERS: say("move it to the machine of the authority that issues orders, then delete it here"),
    PROGRAM: say("move it to the machine where filterd is built, then delete it here"),
    FLEET: say("move it to the office that enrols gateways, then delete it here"),
}
"""Roles whose keys are made here and used elsewhere, with the way of each."""
_ENCRYPTED = b"ENCRYPTED PRIVATE KEY"
_LONGEST = 16_384
_SHORTEST_PASSPHRASE = 8


RepositoryArgument = Annotated[
    Path, argument("REPO", "The folder of the publication, which the web server serves.")
]
KeysOption = Annotated[
    Path | None, option("--keys", "Folder of the keys (default: keys/ beside REPO).", "DIR")
]
AfterOption = Annotated[int, option("--after", "The version that was signed last.", "N", min=0)]
NewKeyOption = Annotated[bool, option("--new-key", "Make a new key that replaces the old one.")]
RootKeysOption = Annotated[
    list[Path] | None, option("--root-key", "A root key on its medium; can be repeated.", "FILE")
]


class KeyMaterial(NamedTuple):
    """Keys and signatures from the operator, to replace a key.

    Attributes:
        keys: the folder of the keys, None for the usual one.
        root_keys: files of root keys.
        parcel: what the new key of a delegated role has signed.
    """

    keys: Path | None
    root_keys: tuple[Path, ...]
    parcel: Path | None


@frozen
class _Lost:
    """A key of which only the public half is known."""

    public_key: Key


@on_named_files
def init(
    here: Context,
    folder: Annotated[Path, argument("DIR", "The folder to make.")],
    passphrase: Annotated[
        bool, option("--passphrase", "Ask for a passphrase that encrypts the keys.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make the keys of a feed, and an empty publication.

    DIR gets keys/, public/ for the web server, and root.json for every school. The output says
    where to carry each key. A key is never overwritten. Exit code 0: done; 2: an error.
    """
    refuse_second(folder / PUBLIC)
    keys = KeyFolder(folder / KEYS, _new_passphrase(here) if passphrase else None)
    signers = keys.create()
    root = Repository(folder / PUBLIC).create(signers, now=here.clock.wall())
    write_atomically(folder / ROOT_FILE, root, mode=0o644)
    offline = [str(path.parent) for path in keys.paths(ROOT)]
    carried = {role: str(keys.paths(role)[0].parent) for role in _CARRIED}
    online = str(keys.paths(ONLINE[0])[0].parent)
    public, handed_out = str(folder / PUBLIC), str(folder / ROOT_FILE)
    if json:
        plain = {"public": public, "root": handed_out, "fingerprint": fingerprint(root), **carried}
        here.print_json({**plain, "online": online, "offline": offline})
        return
    here.print(say("The feed is made in {folder}:", folder=folder), whole=True)
    stick = say("move it to a USB stick in safe {number}, then delete it here")
    for path, what in (
        (public, say("files for the web server")),
        (handed_out, say("for every school, with the fingerprint below")),
        (online, say("stays on this machine; signs every publication")),
        *((path, stick.filled({"number": number})) for number, path in enumerate(offline, 1)),
        *((carried[role], what) for role, what in _CARRIED.items()),
    ):
        here.console.print(path, style="bold", soft_wrap=True)
        here.console.print(f"    {here.texts(what)}")
    here.console.print(facts([(here.texts("Fingerprint"), fingerprint(root))]))
    here.print(
        say(
            "Any two of the three root keys can replace any key; if two are lost, no key can"
            " be replaced."
        )
    )


@on_named_files
def rotate_key(
    here: Context,
    repository: RepositoryArgument,
    role: Annotated[
        str, argument("ROLE", "root, targets, snapshot, timestamp, orders, program or fleet.")
    ],
    number: Annotated[
        int, option("--number", "Number of the root key to replace.", "N", min=1, max=3)
    ] = 1,
    root_key: RootKeysOption = None,
    parcel: Annotated[
        Path | None,
        option("--parcel", "For orders and program: the parcel signed by the new key.", "DIR"),
    ] = None,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Replace a key that is old, lost or compromised.

    Two root keys are needed. A feed without the role program or fleet gets it this way. Schools
    follow by themselves; they hold a new key of the role orders until `feed release-hold`. A new
    key fleet ends all enrolments of gateways. After an interruption, run the same command again.
    Exit code 0: replaced; 2 or 20: an error.
    """
    if role not in ROLES:
        raise ConfigError(
            say("'{role}' is not a role", role=role),
            hint=say("known: {known}", known=", ".join(ROLES)),
        )
    brought = KeyMaterial(keys, tuple(root_key or ()), parcel)
    folder = key_folder(here, keys or usual_keys(repository))
    Published(repository).version  # noqa: B018 -- refuse a folder without one before a key is made
    with publishing(repository):
        if role in DELEGATED:
            version = _rotate_delegated(here, repository, role, folder, brought)
            plain: dict[str, object] = {"role": role, "version": version}
        else:
            new = _rotate(here, repository, role, folder, brought, number)
            plain = {"role": role, "key": str(new)}
    root, content = Published(repository).newest_root()
    plain |= {"root_version": root.version, "fingerprint": fingerprint(content)}
    if role not in DELEGATED or role == PROGRAM:  # the root is a new one
        handed_out = repository.absolute().parent / ROOT_FILE
        write_atomically(handed_out, content, mode=0o644)
        plain["root"] = str(handed_out)
    if json:
        here.print_json(plain)
    else:
        _show_rotated(here, role, plain)


def _show_rotated(here: Context, role: str, plain: Mapping[str, object]) -> None:
    here.print(
        say(
            "The key of the role {role} has been replaced; schools follow by themselves.", role=role
        )
    )
    if "key" in plain:
        here.print(say("The new key: {path}", path=plain["key"]), whole=True)
    if "root" in plain:
        here.print(say("For new schools: {path}", path=plain["root"]), whole=True)


def usual_keys(repository: Path) -> Path:
    """Return where ``init`` puts the keys of a publication."""
    return repository.absolute().parent / KEYS


def key_folder(here: Context, folder: Path) -> KeyFolder:
    """Return the keys of a folder, opened with a passphrase if one of them has one.

    It is taken from the environment, else asked for.

    Raises:
        ConfigError: a passphrase is needed, and there is no terminal to ask at.
    """
    encrypted = any(_is_encrypted(path) for path in sorted(folder.rglob("*.pem")))
    return KeyFolder(folder, _passphrase(here) if encrypted else None)


def online_signers(keys: KeyFolder) -> Signers:
    """Return the signers of the roles that sign each publication.

    Raises:
        ConfigError: a key is missing, or is not as it must be.
    """
    return {role: keys.signers(role) for role in ONLINE}


def _rotate(
    here: Context, repository: Path, role: str, keys: KeyFolder, brought: KeyMaterial, number: int
) -> Path:
    """Replace a key of the root; return the path of the new one."""
    path = keys.paths(role)[number - 1 if role == ROOT else 0]
    roots = root_signers(here, keys, brought.root_keys)
    if role == FLEET:
        new = keys.next_key(path)
        RootChanges(repository).name_fleet_key(new.public_key, roots, now=here.clock.wall())
        keys.promote(path)
        return path
    old = _old(repository, role, path, keys, roots, brought.root_keys)
    there = [one for one in ONLINE if one != role or path.exists()]
    signers = {ROOT: roots, **{one: keys.signers(one) for one in there}}
    new = keys.next_key(path)
    RootChanges(repository).rotate_key(role, old, new, signers, now=here.clock.wall())
    keys.promote(path)
    return path


def _rotate_delegated(
    here: Context, repository: Path, role: str, keys: KeyFolder, brought: KeyMaterial
) -> int:
    if brought.parcel is None:
        raise ConfigError(
            say("the new key of the role {role} must sign a parcel first", role=role),
            hint=say(
                "there: filterd feed {command} --new-key; here: --parcel PARCEL",
                command="sign" if role == ORDERS else "sign-program",
            ),
        )
    signers = dict(online_signers(keys))
    if role == PROGRAM:
        signers[ROOT] = root_signers(here, keys, brought.root_keys)
    now = here.clock.wall()
    parcel = (
        read_program(brought.parcel, now) if role == PROGRAM else read_parcel(brought.parcel, role)
    )
    return RootChanges(repository).rotate_delegated(parcel, signers, now=now)


def root_signers(here: Context, keys: KeyFolder, files: tuple[Path, ...]) -> list[CryptoSigner]:
    """Return the root keys of the given files, else those in the folder of keys.

    Raises:
        ConfigError: one is missing, or is not as it must be.
    """
    if not files:
        return keys.signers(ROOT)
    secret = keys.passphrase or (_passphrase(here) if any(map(_is_encrypted, files)) else None)
    return [load_key(path, secret) for path in files]


def _old(
    repository: Path,
    role: str,
    path: Path,
    keys: KeyFolder,
    roots: list[CryptoSigner],
    files: tuple[Path, ...],
) -> CryptoSigner | _Lost:
    """Return the key to replace; a lost root key is the one whose file is not given."""
    brought = next((file for file in files if file.name == path.name), path)
    if brought.exists():
        return load_key(brought, keys.passphrase)
    root, _ = Published(repository).newest_root()
    named = root.roles[role].keyids
    missing = [one for one in named if one not in {here.public_key.keyid for here in roots}]
    if role == ROOT and len(missing) != 1:
        raise ConfigError(
            say("it is not clear which root key is to be replaced"),
            path=str(path),
            hint=say("provide it, or all but the lost one ({all} keys)", all=ROOT_KEYS),
        )
    return _Lost(root.keys[(missing if role == ROOT else named)[0]])


def _is_encrypted(path: Path) -> bool:
    try:
        with open_plain(path) as file:
            return _ENCRYPTED in file.read(_LONGEST)
    except OSError:
        return False


def _passphrase(here: Context, *, confirm: bool = False) -> bytes:
    """Return the passphrase of the environment, else one that is typed; twice to confirm it.

    Raises:
        ConfigError: none is given, or there is no terminal to ask at.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given.encode()
    hint = say("set the environment variable {variable}", variable=PASSPHRASE_VARIABLE)
    if not sys.stdin.isatty():
        raise ConfigError(
            say("the keys have a passphrase, and there is no terminal to ask for it"), hint=hint
        )
    missing = ConfigError(say("no passphrase was given"), hint=hint)
    return ask_secret(here, say("Passphrase of the keys"), missing, confirm=confirm).encode()


def _new_passphrase(here: Context) -> bytes:
    given = _passphrase(here, confirm=True)
    if (length := len(given.decode())) < _SHORTEST_PASSPHRASE:
        raise ConfigError(
            say("the passphrase has {length} characters", length=length),
            hint=say("at least {least} are needed", least=_SHORTEST_PASSPHRASE),
        )
    return given


@on_named_files
def release_hold(
    here: Context,
    repository: RepositoryArgument,
    reason: Annotated[str, option("--reason", "Reason; schools record it.", "TEXT")] = "",
    root_key: RootKeysOption = None,
    look: Annotated[bool, option("--look", "Show what schools hold, and sign nothing.")] = False,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Release the published version for all schools that hold it.

    The version is judged here as schools judge it. Two root keys sign the findings, and schools
    take it at their next run; online keys can release nothing. Exit code 0: released; 1:
    nothing is held; 50: schools refuse it, and no key can release that; 2 or 20: an error.
    """
    if not look and not reason.strip():
        raise ConfigError(say("{missing} is missing", missing="--reason"))
    with bar(here, here.texts("Judging the version"), visible=not json) as progress:
        held = hold_release.what_is_held(repository, here.clock, progress=progress)
    sign = bool(held.findings) and not look
    if sign:
        folder = key_folder(here, keys or usual_keys(repository))
        signers = root_signers(here, folder, tuple(root_key or ()))
        hold_release.release_hold(repository, held, reason, signers, now=here.clock.wall())
    if json:
        findings = [
            {"kind": finding.kind, "sentence": str(finding.sentence)} for finding in held.findings
        ]
        here.print_json({"version": held.version, "findings": findings, "released": sign})
    else:
        for finding in held.findings:
            here.console.print(
                f"- {translated(finding.sentence, here.texts.language)}", soft_wrap=True
            )
        outcome = say("Nothing in version {version} makes schools hold it.")
        if held.findings:
            outcome = say("Schools hold version {version} for this reason.")
        if sign:
            outcome = say("Version {version} is released: schools take it at their next run.")
        here.print(outcome.filled({"version": held.version}))
    if not held.findings:
        raise typer.Exit(1)
