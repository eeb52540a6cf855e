# SPDX-License-Identifier: Apache-2.0
"""Floor 5: the feed, as an appliance takes it: fetch, judge, activate, roll back.

A **version** of the feed is a folder like ``blocklists/``: a catalogue, its
lists, what is pinned and protected. The **publisher** (``filterd.publish``)
signs it; any static web server, or a folder on a USB stick, hands it out. What
a network sends is hostile until it is verified, and whatever is refused leaves
the appliance as it was: on its last good lists, for ever if need be.

Trust is TUF's (The Update Framework, by ``tuf.ngclient``):

===========  ========================  ========================================
role         keys                      signs
===========  ========================  ========================================
root         2 of 3, kept offline      whose keys count, for every role
timestamp    online                    which snapshot is the newest
snapshot     online                    which version of every role's metadata
targets      online                    length and hash of every file
orders       the ordering authority    the same for ``orders/*`` alone
program      makers of the program     the same for ``program/*``; root names the key too
===========  ========================  ========================================

A version **arrives**:

``arrival``          what an arrival of versions is; that of a signed feed, with its light check
``trust``            the root that a site was given, and the metadata verified since
``fetchers``         files from one web server or from a folder, as TUF asks for them
``tuf_refresh``      what is newly published, verified; the announcement of urgent versions
``program_offer``    packages of the program, verified; a mirror of one for another reader
``version_files``    names and signed data of a version's files, the manifest of its folder
``deltas``           compressed files and the differences between two of them, bounded
``version_download`` the new version's folder, of the old one and what was fetched
``versions``         the last three versions, and which one is in force
``sources``          texts of public lists, fetched within limits; the last good one stays
``source_limits``    what a night of them costs, and servers that asked for a pause
``host_reach``       whether any of their servers can be reached, before each is asked
``text_judgement``   a text that has come, unpacked, read and judged in a child with bounds
``packed_text``      a text that comes as gzip, zip or tar.gz, unpacked within bounds
``version_content``  a version made of a catalogue and of texts of sources, and written

A site may follow **public lists** instead, or beside a feed (``BesideFolder``, with versions,
history and watch of its own); a version is then made here, of HTTPS alone:

``feed_config``      which feed or lists a site follows, and which lists are compiled for it
``followed_arrival`` the version that the texts of a night make, its content made in a child
``fresh_arrival``    what sources that change all day have got since the night, every four hours
``fresh_names``      the names that are new, as a small list beside those of the night
``night_memory``     how much memory a child may take, and how many names that is

It is **judged and activated**:

``guard``            whether an authentic version may be activated
``held_versions``    of held versions: orders of the law ahead of them, holds that the
                     publisher's offline keys have released; an unknown ordering key waits
``activation``       forward or back: lists, catalogue, pointer and daemon, all or none
``version_watch``    the ten minutes after, and the daemon as the feed needs it
``policy_trial``     what the recorded days say of a version, a list or another policy: a child
``sync``             one run, from what is published to lists in force
``school_lists``     what a school decides: sync, approve, roll back, follow, exclude
``index_build``      the lists in force compiled anew, by a command or in a child
``follower``         the process that does what is due
``schedule``         when to ask and when to take: slots, light checks, retries, rings
``program_standing`` which releases of filterd are offered, held, taken and taken back

``appliance_files``  the appliance's id, its last run, the latest known time, what commands follow
``standing``         how the site stands, and the history of its versions
``feed_details``     the same in words, for people

All of it runs in a process of its own: nothing that answers DNS imports it.
"""
