# SPDX-License-Identifier: Apache-2.0
"""Generated chains of aliases: in all forms, up to and beyond the followed length.

A chain has one name to block, so that one test can check all chains.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import dns.message
import dns.rrset

if TYPE_CHECKING:
    from random import Random

LONGEST = 12


@dataclass(frozen=True)
class Chain:
    """Records that lead from ``qname`` to an address, over the name ``hidden``.

    ``ends``: they reach it; otherwise they run in a circle.
    """

    qname: str
    hidden: str
    ends: bool
    aliases: int
    records: tuple[str, ...]

    @property
    def followed(self) -> bool:
        """Whether a resolver gives an answer for it at all."""
        return self.ends and self.aliases <= 11

    def respond(self, query: dns.message.Message) -> dns.message.Message:
        """Answer as an upstream that sends the whole chain at once."""
        response = dns.message.make_response(query)
        for record in self.records:
            owner, rtype, data = record.split()
            response.answer.append(dns.rrset.from_text(owner, 300, "IN", rtype, data))
        return response


def a_chain(number: int, random: Random) -> Chain:
    """Return one chain of 1 to 12 aliases, its records in any order and letter case."""
    aliases = random.randint(1, LONGEST)
    zones = [f"z{number}x{step}.example" for step in range(aliases + 1)]
    zones[random.randint(1, aliases)] = hidden = f"hidden{number}.example"
    ends = random.random() < 0.85
    last = "A 198.18.0.77" if ends else f"CNAME w.{random.choice(zones)}."
    records = [f"w.{zones[-1]}. {last}"]
    for zone, target in pairwise(zones):
        records.append(f"w.{zone}. CNAME w.{target}.")
        if random.random() < 0.2:
            records.append(f"{zone}. DNAME {target}.")
    random.shuffle(records)
    mixed = tuple(_mix_case(record, random) for record in records)
    return Chain(f"w.{zones[0]}", hidden, ends, aliases, mixed)


def _mix_case(record: str, random: Random) -> str:
    owner, rtype, data = record.split()

    def mixed(text: str) -> str:
        return "".join(random.choice((one.lower(), one.upper())) for one in text)

    return f"{mixed(owner)} {rtype} {mixed(data)}"
