# SPDX-License-Identifier: Apache-2.0
"""Write the sheets that a school prints: that of the box, and the poster.

The sheet of the box has what to set in the router, and what to do without Internet. It is plain
text in Markdown, one A4 page, to be hung beside the box. It has no name of a person and no
password. The poster leads pupils to their page: one A4 page of HTML in both languages, with a QR
code of the page's address, drawn in the file itself.
"""

from __future__ import annotations

import textwrap
from html import escape
from io import BytesIO
from ipaddress import ip_network
from typing import TYPE_CHECKING

from filterd.appliance.setup.questions import BESIDE, BY_HAND, CANNOT, DHCP_OFF, IN_LINE
from filterd.texts.i18n import Sentence, Texts, say, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.appliance.setup.interview import Interview
    from filterd.texts.i18n import Language

_WIDTH = 78

_IPV6 = {
    "router": say(
        "In the router's IPv6 settings, switch off DNS in router advertisements (RDNSS) and DHCPv6."
    ),
    "no-ipv6": say("In the router, switch IPv6 off on the LAN."),
    "ra-guard": say("In the switch, block router advertisements (RA guard) on all other ports."),
    "placement-c": say("Put this box in line (placement C): then it is the router for IPv6."),
    "later": say(
        "The router announces another DNS by IPv6: until that is off, devices pass the filter."
    ),
}
"""By the answer."""


def sheet(interview: Interview, fingerprint: str, language: Language, certificate: str = "") -> str:
    """Return the sheet.

    Args:
        interview: answered.
        fingerprint: of the device key.
        language: of the sheet.
        certificate: the fingerprint of the dashboard's certificate; empty where it is not known.
    """
    box = interview.links[0].address if interview.links else "..."
    steps = [*_dhcp(interview, box)]
    if interview.answers.get("staff") == "":
        steps.append(
            say(
                "Teachers get what pupils get until their devices are named. sudo filterd devices"
                " list shows them; then, for each: sudo filterd devices assign ADDRESS --network"
                " staff"
            )
        )
    if interview.get("ipv6"):
        steps.append(_IPV6[interview.get("ipv6")])
    steps.append(
        say(
            "Check on a pupil's device: nslookup www.1xbet.com {box} finds no address. On the box:"
            " sudo filterd doctor",
            box=box,
        )
    )
    dead = (
        say("Is its light on? Is the network cable in? Pull the power plug, wait 10 s, plug in."),
        say("Wait three minutes. filterd starts by itself."),
        _without_box(interview),
        say("Once the box works again, undo that step: meanwhile no lookup is filtered."),
    )
    parts = (
        translated(say("# DNS filter of {school}", school=interview.get("school")), language),
        *_part(say("## What to set"), steps, language),
        *_part(say("## No Internet in the school"), dead, language),
        *_part(
            say("## This box"),
            _facts(interview, box, fingerprint, certificate),
            language,
            numbered=False,
        ),
    )
    return "\n".join(parts) + "\n"


def _facts(interview: Interview, box: str, key: str, certificate: str) -> tuple[Sentence, ...]:
    """Return facts of the box; ``key`` and ``certificate`` are fingerprints."""
    addresses = ", ".join(f"{link.address} ({link.interface})" for link in interview.links)
    return (
        say("Address of the box: {box}", box=addresses or box),
        say("Fingerprint of its key: {fingerprint}", fingerprint=key),
        say(
            "Dashboard, for staff: https://{box}:8443. Fingerprint of its certificate, to compare"
            " with the browser's once: {certificate}",
            box=box,
            certificate=certificate or "filterd cert show",
        ),
        say("State: filterd status. Why is a site blocked: filterd check NAME"),
        say("Call for help: ______________________ Telephone: ______________________"),
    )


def _part(
    title: Sentence,
    lines: tuple[Sentence, ...] | list[Sentence],
    language: Language,
    *,
    numbered: bool = True,
) -> Iterator[str]:
    yield ""
    yield translated(title, language)
    yield ""
    for number, line in enumerate(lines, 1):
        first = f"{number}. " if numbered else "- "
        text, *code = translated(line, language).split("\n")
        after = " " * len(first)
        yield textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=after)
        yield from (f"{after}    {one}" for one in code)


def _dhcp(interview: Interview, box: str) -> Iterator[Sentence]:
    yield say("Give the box a fixed address, {box}: in the router, or on the box.", box=box)
    placement, plan = interview.get("placement"), interview.get("plan-b")
    if placement == BESIDE and interview.get("router") != CANNOT:
        yield say(
            "In the router: DHCP (or LAN), DNS server 1: {box}. DNS server 2: empty, or {box} once"
            " more. Never another one, such as 8.8.8.8: devices ask either. Save.",
            box=box,
        )
        yield say("Switch Wi-Fi off and on at each device once: it then learns the new DNS.")
    elif plan == BY_HAND:
        yield say(
            "On each Windows computer of the computer room, as administrator:"
            '\nnetsh interface ip set dns "Ethernet" static {box}',
            box=box,
        )
        yield say("All other devices are not filtered. Ask the provider to unlock the router.")
    elif placement == BESIDE and plan != DHCP_OFF:
        yield say("Put a USB network card into the box; behind it, the school's switch and Wi-Fi.")
        yield say("Then run sudo filterd setup again, and choose placement C.")
    else:
        if placement != IN_LINE:
            yield say("In the router, switch DHCP off.")
        yield say(
            "On the box, a DHCP server: sudo apt install dnsmasq; then, with these lines in"
            " /etc/dnsmasq.d/school.conf, sudo systemctl restart dnsmasq:\n{lines}",
            lines="\n".join(_dnsmasq(interview)),
        )


def _dnsmasq(interview: Interview) -> Iterator[str]:
    """Yield lines for dnsmasq: the upper half of each network.

    0.0.0.0 stands for dnsmasq's own address.
    """
    yield "port=0"
    for cidr in dict.fromkeys(link.cidr for link in interview.links):
        network = ip_network(cidr)
        yield f"dhcp-range={network[network.num_addresses // 2]},{network[-2]},12h"
    if interview.get("placement") == BESIDE:
        yield f"dhcp-option=option:router,{interview.machine.router or '...'}"
    yield "dhcp-option=option:dns-server,0.0.0.0"


def _without_box(interview: Interview) -> Sentence:
    placement, plan = interview.get("placement"), interview.get("plan-b")
    if placement == BESIDE and plan == BY_HAND:
        return say("In an emergency: set DNS to automatic on the computers of the computer room.")
    if placement == BESIDE and plan != DHCP_OFF:
        return say("In an emergency: in the router's DHCP, set DNS back to automatic.")
    if placement == IN_LINE:
        return say("In an emergency: plug the school's cable into the router, past the box.")
    return say("In an emergency: switch DHCP on in the router.")


_STYLE = """
@page{size:A4;margin:18mm}
body{font-family:system-ui,"Noto Sans","Segoe UI",sans-serif;text-align:center;color:#000;\
background:#fff;max-width:170mm;margin:0 auto;line-height:1.4}
h1{font-size:30pt;margin:4mm 0}
p{font-size:16pt;margin:3mm 0}
svg{width:85mm;height:85mm}
.address{font-size:24pt;font-weight:700;overflow-wrap:anywhere}
section+section{border-top:1px solid #000;margin-top:8mm;padding-top:2mm}
"""
_TITLE = say("Does a page not open?")
_STEP = say("Scan the code or open this address, type the page, and read why.")
_HELP = say("Are you not well, or afraid? Call 111: free, by day and by night.")
_CONTACT = say("At school: {contact}")


def poster(school: str, contact: str, address: str) -> str:
    """Return the poster.

    Args:
        school: its name.
        contact: as ``school: {contact: ...}`` of site.yaml; may be empty.
        address: of the page, ``http://192.168.1.1/``.
    """
    import segno  # noqa: PLC0415 -- for the poster only

    drawn = BytesIO()
    code = segno.make(address, error="m")
    code.save(drawn, kind="svg", xmldecl=False, svgns=False, border=4, omitsize=True)
    parts = []
    for texts in (Texts("vi"), Texts("en")):
        heading = "h1" if texts.language == "vi" else "h2"
        lines = [texts(_STEP), texts(_HELP)]
        lines += [texts(_CONTACT, contact=contact)] if contact else []
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
        parts.append(
            f'<section lang="{texts.language}"><{heading}>{escape(texts(_TITLE))}</{heading}>'
            f"{paragraphs}</section>"
        )
    vietnamese, english = parts
    return (
        f'<!doctype html>\n<html lang="vi"><head><meta charset="utf-8"><title>{escape(school)}'
        f"</title><style>{_STYLE}</style></head><body><p>{escape(school)}</p>{vietnamese}"
        f'{drawn.getvalue().decode()}<p class="address">{escape(address)}</p>{english}'
        "</body></html>\n"
    )
