# SPDX-License-Identifier: Apache-2.0
"""One parameter less, and what is left is well-formed; dnspython is the witness."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from filterd.errors import WireError
from filterd.wire import KEY_ECH, without_param

IN, HTTPS = dns.rdataclass.IN, dns.rdatatype.HTTPS

CASES = [
    ('1 . ech="AARhYmNk"', "1 ."),
    ("1 . alpn=h2", "1 . alpn=h2"),
    ('1 a.example. alpn=h2,h3 port=8443 ech="AARhYmNk" key65333=x',
     "1 a.example. alpn=h2,h3 port=8443 key65333=x"),
    ('1 . mandatory=ech ech="AARhYmNk"', "1 ."),
    ('1 . mandatory=alpn,ech alpn=h2 ech="AARhYmNk"', "1 . mandatory=alpn alpn=h2"),
    ("1 . mandatory=alpn alpn=h2 no-default-alpn", "1 . mandatory=alpn alpn=h2 no-default-alpn"),
    ("0 a.example.", "0 a.example."),
]  # fmt: skip


def _wire(text: str) -> bytes:
    octets = dns.rdata.from_text(IN, HTTPS, text).to_wire()
    assert octets is not None
    return octets


@pytest.mark.parametrize(("text", "left"), CASES)
def test_one_parameter_less(text: str, left: str) -> None:
    assert without_param(_wire(text), KEY_ECH) == _wire(left)


@pytest.mark.parametrize(
    "rdata",
    [
        b"",
        b"\0\1",
        b"\0\1\xc0\x0c",
        b"\0\1\0\0",
        b"\0\1\0\0\5\0\2\0",
        b"\0\1\0\0\0\0\0",
        b"\0\1\0\0\0\0\1\5",
        b"\0\1\x3fabc",
    ],
)
def test_what_is_no_service_binding_is_refused(rdata: bytes) -> None:
    with pytest.raises(WireError):
        without_param(rdata, KEY_ECH)
