# SPDX-License-Identifier: Apache-2.0
"""Floor 3: who may see what. Pure: (client, qname, qtype, now) -> Verdict.

Three things are joined here::

    site.yaml, <tier>.yaml, catalogue        lists
              | site (own process)             | compiler (own process)
              v                                v
           Policy ----------- Engine --------- Index
                    overlay: names of the site   table: (grade, claim set)
                              decide() -> Verdict with its provenance

* ``model``: the compiled policy, frozen data; ``store``: its file.
* ``site``: YAML to ``model``. Only a child process and the command line import
  it, so that neither pydantic nor a YAML parser is in the serving process.
* ``overlay``: pins, protections and local rules, by name.
* ``table``: what a set of lists means to a grade, the data that every reader of
  decisions shares. ``listed``: what they say of one question.
* ``week``, ``overrides``: lessons, schedules, and what people set by command.
  ``moment``: the plain policy that they make at a time, by ``calendar``,
  ``changes`` and ``rooms``. ``conflicts``: what of it means something else than it seems.
* ``order``: the order of rules. ``engine``: ``decide``, which joins them all.
* ``verdict``, ``client``: their words.

Time enters as an argument: nothing here reads a clock, opens a socket or waits.
"""
