# SPDX-License-Identifier: Apache-2.0
"""Everything that several tests share, by theme; no module here is a test.

What only one test uses stands beside it, in its folder.

messages    ``wire``, ``dns_messages``, ``packets``, ``malformed``,
            ``cost_bombs``, ``wire_work``: messages made without filterd's own composer
answers     ``answers``, ``unfiltered``: read and compare them
stubs       ``asking``, ``asking_as``, ``bell``, ``abuse``: clients of a server
upstreams   ``upstream``, ``echo``, ``lies``, ``forger``, ``forgeries``, ``tls``, ``unbound``,
            ``signing``: truthful or not
lists       ``parsing``, ``intakes``, ``indexes``, ``packed_indexes``, ``other_tables``
sites       ``site``, ``policies``, ``week``, ``changes``, ``clock``: a school as files or values
links       ``chain``: queries for one link of the chain, and the links behind it
fast path   ``fast_cores``, ``plain_questions``, ``relaying``, ``native_faults``
twins       ``twins``, ``store_stories``: native modules and their plain Python twins
serving     ``serving``, ``team``: resolver, workers and manager in the process of the test
daemons     ``daemon``, ``one_worker``, ``set_clock``, ``unprivileged``,
            ``fake_daemon``, ``commands``, ``waiting``, ``processes``: processes of their own
machines    ``namespaces``, ``gateway``, ``dhcp``: links and devices of their own; they need
            root
systems     ``debian_root``, ``booted``, ``installed_school``: Debian with a systemd of its own,
            and filterd on it as a package
faults      ``failing_disk``, ``power_cut``, ``dying``: disks that fail, processes that die
feed        ``publisher``, ``web``, ``broken_versions`` and ``feed_*``:
            publisher, server, school and attackers
models      ``oracle``, ``worlds``, ``naive_week``: decisions and time, computed naively
lives       ``oracle_*``: random lives of a school, every reply of which the oracle checks;
            ``oracle_*mutants`` are filterd without a safeguard
texts       ``catalogue``, ``foreign_texts``, ``help_texts``, ``command_reference``,
            ``frozen_faces``, ``json_schema``: sentences and schemas
fixtures    ``*_fixtures``: imported by each ``conftest.py``
runs        ``together``, ``statistics``, ``shared_data``

Upstreams answer with addresses for benchmarks (198.18.0.0/15, 2001:2::/48), which filterd takes for
the Internet's; those for documentation it takes out of answers, so clients and servers have them.
"""
