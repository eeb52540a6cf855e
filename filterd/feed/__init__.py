# SPDX-License-Identifier: Apache-2.0
"""The feed, as an appliance takes it: fetch, verify, put in place.

A **version** of the feed is a folder like ``blocklists/``: a catalogue, its
lists, what is pinned and protected. The **publisher** (``filterd.publish``)
signs it; any static web server, or a folder on a USB stick, hands it out. What
a network says is hostile until it is verified, and whatever is refused leaves
the appliance as it was: on its last good lists, for ever if need be.

Trust is TUF's (The Update Framework, by ``tuf.ngclient``):

===========  ========================  ========================================
role         keys                      says
===========  ========================  ========================================
root         2 of 3, kept offline      whose keys count, for every role
timestamp    online                    which snapshot is the newest
snapshot     online                    which version of every role's metadata
targets      online                    length and hash of every file
orders       the ordering authority    the same for ``orders/*`` alone
===========  ========================  ========================================

``trust``            the root that a site was given, and the metadata verified since
``http_fetcher``     octets from one web server, as TUF wants them (``filterd.http_download``)
``folder_fetcher``   the same from a folder
``target_roles``     which role may name which file
``tuf_refresh``      one run: what is newly published, verified, or why it is not taken
``targets``          names of files in a publication and the data that goes with them
``deltas``           compressed files and the differences between two of them, bounded
``version_download`` the new version's folder out of the old one and what was fetched
``manifest``         what a version's folder says of itself, and whether it is so
``versions``         the last three versions, and which one is in force
``guard``            whether a version that is authentic may come in force
``order_keys``       whose orders are orders: another key waits
``orders_ahead``     what the law orders, ahead of lists that are held
``released_holds``   what is held, and released by the publisher's offline keys
``rings``            who takes a new version first
``activation``       lists, catalogue, pointer and daemon change as one, or not at all
``version_watch``    the ten minutes after: does it do harm?
``sync``             one run, from what is published to lists in force
``schedule``         when to ask: the night's slot, the light check, what failed again
``urgent_check``     the light check: one small file, was something urgent published?
``follower``         the process that does whatever is due
``appliance_id``     the id that gives an appliance its place in the schedule
``time_floor``       what the time must at least be
``status_file``      how the site stands, for people; ``status_view``, ``version_history``
``feed_config``      which feed a site follows, and which lists are compiled for it
``daemon_port``      the resolver on this machine, as the feed needs it

All of it runs in a process of its own: nothing that answers DNS imports it.
"""
