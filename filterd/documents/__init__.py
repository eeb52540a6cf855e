# SPDX-License-Identifier: Apache-2.0
"""Floor 0: YAML written by people: bounded reading, checks, errors with places.

What is read is a small YAML: one UTF-8 document of at most 1 MiB and 100,000
values, collections at most 20 deep, no anchors, aliases, tags or directives, no
key twice. Plain scalars follow the core schema of YAML 1.2 (§10.3.2), not
PyYAML's 1.1: ``10:30``, ``no``, ``off`` and a MAC address stay text. Keys are
always text, so ``1:`` and ``"1":`` are the same key.

::

    octets  --load-->  Document (plain data, places)  --validate-->  a DocumentModel
              |                                          |
       yaml_reader: ConfigError                  validation: ConfigErrors

Only the process that compiles, and commands for people, may import this
package: it brings PyYAML and pydantic, which the serving process must not carry.
"""

from filterd.documents.validation import DocumentModel, ModelT, OrElse, refusal, validate
from filterd.documents.yaml_reader import (
    MAX_DEPTH,
    MAX_SIZE_OCTETS,
    Document,
    Where,
    dump,
    load,
    parse,
    repeated,
)
from filterd.texts.i18n import did_you_mean

__all__ = [
    "MAX_DEPTH",
    "MAX_SIZE_OCTETS",
    "Document",
    "DocumentModel",
    "ModelT",
    "OrElse",
    "Where",
    "did_you_mean",
    "dump",
    "load",
    "parse",
    "refusal",
    "repeated",
    "validate",
]
