# SPDX-License-Identifier: Apache-2.0
"""``filterd feed`` for the publisher: what the commands take, and what they promise.

What they do is imported when one is called: it brings TUF, keys and the web, which
no other command needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from filterd.cli.context import Context, JsonOption, Options, command_on_files

RepositoryArgument = Annotated[
    Path, typer.Argument(metavar="REPO", help="The folder that the web server hands out.")
]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="Folder of the keys; else keys/ beside REPO."),
]
PopularOption = Annotated[
    Path | None,
    typer.Option(
        "--popular",
        metavar="FILE",
        help="Names that everybody visits, the most popular first, one a line.",
    ),
]


CatalogOption = Annotated[
    Path, typer.Option("--catalog", metavar="DIR", help="The publisher's blocklists folder.")
]


@command_on_files
def init(
    here: Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for a passphrase that encrypts the keys.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make the keys of a feed, and a publication that is still empty.

    DIR has keys/, public/ for the web server, and root.json for every school. It says
    which keys to carry where. No key is ever written over. Exit code 0: done; 2: not.
    """
    from filterd.cli import feed_keys  # noqa: PLC0415 -- see above

    feed_keys.init(here, folder, wants_passphrase=passphrase, json=json)


class BuildPaths(NamedTuple):
    """Where a build finds and leaves everything; ``given``: a folder to read, not the web."""

    catalog: Path
    out: Path
    sources: Path
    given: Path | None
    popular: Path | None
    previous: Path | None


def _places(
    catalog: CatalogOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the version, made or replaced.")
    ],
    popular: PopularOption = None,
    from_folder: Annotated[
        Path | None,
        typer.Option(
            "--from-folder", metavar="DIR", help="Read the sources here, ID.txt each; else the web."
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(
            "--sources", metavar="DIR", help="Folder of last good texts; else sources/ beside it."
        ),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous", metavar="DIR", help="The version to compare with; else the last build."
        ),
    ] = None,
) -> BuildPaths:
    """Return the places that the options of a build name."""
    texts = sources or out.absolute().parent / "sources"
    return BuildPaths(catalog, out, texts, from_folder, popular, previous)


@command_on_files
def build(
    here: Context,
    places: Annotated[BuildPaths, Options(_places)],
    accept: Annotated[
        bool, typer.Option("--accept", help="Write it although it changes unusually much.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make a version of the feed out of the catalogue and the texts of its sources.

    A source that does not come, or is not what it was, keeps its last good text. A
    version that changes unusually much is not written until somebody has looked. Exit
    code 0: written; 1: written, and a source was not taken; 50: held, not written; 2:
    something is wrong, the last build stays.
    """
    from filterd.cli import feed_build  # noqa: PLC0415 -- see above

    feed_build.build(here, places, accept=accept, json=json)


class ReviewRequest(NamedTuple):
    """What a reviewer says: shapes to accept and to refuse, of which category, who and why."""

    accept: tuple[str, ...]
    refuse: tuple[str, ...]
    category: str | None
    who: str | None
    reason: str


def _asked(
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="SHAPE", help="Make a rule of it; may be repeated."),
    ] = None,
    refuse: Annotated[
        list[str] | None,
        typer.Option("--refuse", metavar="SHAPE", help="Never make one; may be repeated."),
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", metavar="ID", help="Only of this category.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the decision.")
    ] = "",
    who: Annotated[
        str | None,
        typer.Option("--who", metavar="NAME", help="Who decides; else who is logged in."),
    ] = None,
) -> ReviewRequest:
    """Return what the options of a review say."""
    return ReviewRequest(tuple(accept or ()), tuple(refuse or ()), category, who, reason)


@command_on_files
def review(
    here: Context,
    catalog: CatalogOption,
    asked: Annotated[ReviewRequest, Options(_asked)],
    decided: Annotated[
        bool, typer.Option("--decided", help="Show what was decided instead.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show all that waits.")] = False,
    json: JsonOption = False,
) -> None:
    """Look at rules for look-alikes that wait for a person; accept or refuse them.

    A shape such as i9bet# stands for names that differ in digits only. Most hold by
    themselves; one waits where it fits a name that people visit, or says too little.
    The next `feed build` goes by what is decided, and does not ask again. A rule that
    holds by itself is refused, too: with its category. Exit code 0: nothing waits, or
    it is decided; 1: something waits; 2: something is wrong, nothing is decided.
    """
    from filterd.cli import feed_review  # noqa: PLC0415 -- see above

    if asked.accept or asked.refuse:
        feed_review.decide(here, catalog, asked, json=json)
    elif decided:
        feed_review.show_decided(here, catalog, asked.category, json=json)
    else:
        feed_review.show(here, catalog, asked.category, everything=everything, json=json)


@command_on_files
def publish(
    here: Context,
    repository: RepositoryArgument,
    version_folder: Annotated[
        Path | None,
        typer.Option(
            "--version-folder",
            metavar="DIR",
            help="What `feed build` made; else what is published is signed for another term.",
        ),
    ] = None,
    orders: Annotated[
        Path | None,
        typer.Option("--orders", metavar="DIR", help="New orders, what `feed sign` made."),
    ] = None,
    urgent: Annotated[
        bool, typer.Option("--urgent", help="Schools take it within ten minutes, not tonight.")
    ] = False,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Publish a version: whole files, differences from the last seven, all of it signed.

    Readers find the old version or the new one and never a mix; after an interruption
    the same command goes on. Exit code 0: published; 2, 20 or more: not, and what was
    published stays.
    """
    from filterd.cli import feed_publish  # noqa: PLC0415 -- see above

    what = feed_publish.What(repository, version_folder, orders, urgent)
    feed_publish.publish(here, what, keys, json=json)


@command_on_files
def sign(
    here: Context,
    orders: Annotated[
        Path, typer.Argument(metavar="ORDERS", help="Folder of orders.yaml and orders/.")
    ],
    parcel: Annotated[
        Path, typer.Argument(metavar="PARCEL", help="Folder to make and carry to the publisher.")
    ],
    keys: Annotated[
        Path, typer.Option("--keys", metavar="DIR", help="Folder that has orders/orders.pem.")
    ],
    after: Annotated[
        int,
        typer.Option("--after", metavar="N", min=0, help="The version signed last."),
    ] = 0,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make a new key, which takes the old one's place.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Sign what the law orders to be blocked, on the machine of whoever orders.

    Each order has its number, issuer, date and expiry; those that have expired are
    left out. Exit code 0: signed; 2: something is wrong, nothing is signed.
    """
    from filterd.cli import feed_publish  # noqa: PLC0415 -- see above

    feed_publish.sign(here, orders, parcel, keys, after=after, new_key=new_key, json=json)


@command_on_files
def rotate_key(
    here: Context,
    repository: RepositoryArgument,
    role: Annotated[
        str,
        typer.Argument(metavar="ROLE", help="root, targets, snapshot, timestamp or orders."),
    ],
    number: Annotated[
        int,
        typer.Option("--number", metavar="N", min=1, max=3, help="Which of the root keys goes."),
    ] = 1,
    root_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--root-key", metavar="FILE", help="A root key on its medium; may be repeated."
        ),
    ] = None,
    orders: Annotated[
        Path | None,
        typer.Option("--orders", metavar="DIR", help="For orders: what the new key has signed."),
    ] = None,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Exchange a key that is old, lost, or may be in other hands.

    Two root keys must be at hand. Schools follow by themselves; a new key of orders they
    hold until `feed release-hold`. After an interruption the same command goes on. Exit
    code 0: exchanged; 2 or 20: not.
    """
    from filterd.cli import feed_keys  # noqa: PLC0415 -- see above

    brought = feed_keys.KeyMaterial(keys, tuple(root_key or ()), orders)
    feed_keys.rotate(here, repository, role, brought, number=number, json=json)


@command_on_files
def release_hold(
    here: Context,
    repository: RepositoryArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; schools keep it.")
    ] = "",
    root_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--root-key", metavar="FILE", help="A root key on its medium; may be repeated."
        ),
    ] = None,
    look: Annotated[
        bool, typer.Option("--look", help="Show what schools hold, and sign nothing.")
    ] = False,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Release for all schools what they hold of the version that is published.

    It is judged here as schools do. Two root keys sign what was found, and schools take
    it at their next run; keys that are online release nothing. Exit code 0: released;
    1: nothing is held; 50: schools refuse it, and no key releases that; 2 or 20: not.
    """
    from filterd.cli import feed_lifting  # noqa: PLC0415 -- see above

    brought = feed_lifting.ReleaseRequest(keys, tuple(root_key or ()), reason, look)
    feed_lifting.release_hold(here, repository, brought, json=json)


@command_on_files
def verify(
    here: Context,
    source: Annotated[
        str, typer.Argument(metavar="URL|DIR", help="Address or folder of a publication.")
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            "--root", metavar="FILE", help="What schools are given; else root.json beside DIR."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Look at a publication as a new school does: fetch, verify, unpack and load all.

    It tells until when each role's word holds. Exit code 0: good; 1: good, and a role
    must soon sign anew; 30 to 36: it did not come; 40 to 46: it must not be trusted; 2:
    something else is wrong.
    """
    from filterd.cli import feed_verify  # noqa: PLC0415 -- see above

    feed_verify.verify(here, source, root, json=json)


@command_on_files
def diff(
    here: Context,
    old: Annotated[
        str, typer.Argument(metavar="V1", help="Folder of a version, or its number with --repo.")
    ],
    new: Annotated[str, typer.Argument(metavar="V2", help="The one to compare with it.")],
    repository: Annotated[
        Path | None,
        typer.Option("--repo", metavar="DIR", help="The publication that has both numbers."),
    ] = None,
    popular: PopularOption = None,
    names: Annotated[
        bool, typer.Option("--names", help="Show the first names of each category, too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what changes from one version to another, and for whom.

    By category, and popular names that are newly closed or opened, by rank; for which
    grades follows from the feed's ages, not from what schools set. Exit code 0: nothing
    differs; 1: something does; 2: it cannot be told.
    """
    from filterd.cli import feed_diff  # noqa: PLC0415 -- see above

    asked = feed_diff.DiffRequest(old, new, repository, popular)
    feed_diff.diff(here, asked, names=names, json=json)
