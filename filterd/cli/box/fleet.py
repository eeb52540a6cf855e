# SPDX-License-Identifier: Apache-2.0
"""``filterd fleet``: enrol this gateway with its province, and sign enrolments there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from securesystemslib.signer import CryptoSigner

from filterd.appliance import enrolment
from filterd.appliance.enrolment import SchoolGateway, device_key
from filterd.base.errors import ConfigError
from filterd.base.signed_envelope import naming
from filterd.cli.console import write
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.effective_state import policy_in_force
from filterd.cli.feed.feed_keys import key_folder
from filterd.cli.named_files import check_written, read_octets, write_named
from filterd.cli.render import facts
from filterd.config.build_record import SITE_FILE
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.version_files import FLEET
from filterd.operations.parameters.time import duration_s
from filterd.texts.counted import grouped, utc
from filterd.texts.i18n import say

_DAY_S, _YEAR_DAYS = 86_400, 365
_are_years = re.compile(r"(\d{1,2}) ?(?:y|years?|n|nam|năm)").fullmatch


def enrol(
    here: Context,
    out: Annotated[
        Path | None, option("--out", "The request to write (default: print it).", "FILE")
    ] = None,
    install: Annotated[
        Path | None, option("--install", "The enrolment that the province has signed.", "FILE")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Ask the province to enrol this gateway, or install its answer.

    The request has the school's code and name and the public key of this gateway. An enrolled
    gateway's inspection records can be verified anywhere. Exit code 0: done; 2: an error; 61 to
    65: the enrolment is refused, and the one before stays.
    """
    own, key = _own(here)
    now = here.clock.wall()
    if install is None:
        octets = enrolment.request(own, key, now)
        if out is None:
            write(octets.decode())
            return
        write_named(out, octets, "--out")
        _print_gateway(here, own, json=json)
        if not json:
            here.print(
                say(
                    "Written: {file}. Send it to the province, and read out the "
                    "fingerprint by telephone.",
                    file=out,
                ),
                whole=True,
            )
        return
    octets = read_octets(install, enrolment.MOST_OCTETS)
    root = TrustFolder(here.state.feed).newest_root()
    with naming(install):
        kept = enrolment.install(octets, root, own, now, here.state.enrolment)
    _print_gateway(here, own, (kept.begins, kept.ends), json=json)


@on_named_files
def sign(
    here: Context,
    request: Annotated[Path, argument("REQUEST", "The request of a gateway.")],
    keys: Annotated[Path, option("--keys", "Folder that has fleet/fleet.pem.", "DIR")],
    out: Annotated[Path, option("--out", "The enrolment to write.", "FILE")],
    for_: Annotated[str, option("--for", "How long it holds: 2y, 90d.", "TIME")] = "2y",
    json: JsonOption = False,
) -> None:
    """Sign the enrolment of a gateway, on the machine of the key fleet.

    Compare the fingerprint with the school by telephone before you hand the file out: a request
    proves only that its sender has the key. Exit code 0: signed; 2: an error; 61, 62: no request.
    """
    check_written(out, "--out")
    octets = read_octets(request, enrolment.MOST_OCTETS)
    with naming(request):
        gateway = enrolment.read_request(octets)
    (signer,) = key_folder(here, keys).signers(FLEET)
    now, days = here.clock.wall(), _days(for_)
    write_named(out, enrolment.enrol(gateway, signer, now, days), "--out")
    _print_gateway(here, gateway, (int(now), int(now) + days * _DAY_S), json=json)


def _own(here: Context) -> tuple[SchoolGateway, CryptoSigner]:
    """Return this gateway and its key, which is made if it is missing.

    Raises:
        ConfigError: the school has no code.
    """
    policy = policy_in_force(here)
    code = "" if policy.report is None else policy.report.code
    if not code:
        raise ConfigError(
            say("the school has no code"),
            path=str(here.config / SITE_FILE),
            hint=say("add the ministry's code there: `school: {{code: ...}}`"),
        )
    key = device_key(here.state.device_key)
    return SchoolGateway(code, policy.school, key.public_key), key


def _print_gateway(
    here: Context, gateway: SchoolGateway, dates: tuple[int, int] | None = None, *, json: bool
) -> None:
    texts = here.texts
    if json:
        plain = {"code": gateway.code, "school": gateway.school, "device": gateway.device}
        begins, ends = dates or (None, None)
        here.print_json({**plain, "begins": begins, "ends": ends})
        return
    rows = [
        (texts("School"), f"{gateway.school} ({gateway.code})"),
        (texts("Fingerprint"), grouped(gateway.device)),
        (texts("Enrolled until"), "" if dates is None else utc(dates[1])),
    ]
    here.console.print(facts(rows))


def _days(text: str) -> int:
    """Return a length in days.

    Raises:
        ConfigError: it is none, less than a day, or more than ten years.
    """
    years = _are_years(text.strip().lower())
    days = int(years[1]) * _YEAR_DAYS if years else int(duration_s(text) // _DAY_S)
    if not 0 < days <= enrolment.LONGEST_DAYS:
        raise ConfigError(
            say("--for '{text}' is less than a day or more than ten years", text=text)
        )
    return days
