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
program      makers of the program     the same for ``program/*``; root names the key too
===========  ========================  ========================================

A version **arrives**:

``trust``            the root that a site was given, and the metadata verified since
``fetchers``         files from one web server or from a folder, as TUF asks for them
``targets``          names of files in a publication, their data, the role that may sign them
``tuf_refresh``      what is newly published, verified; the light check for urgent versions
``program_offer``    packages of the program, verified; a mirror of one for another reader
``deltas``           compressed files and the differences between two of them, bounded
``version_download`` the new version's folder, of the old one and what was fetched
``manifest``         what the files of a version's folder must be
``versions``         the last three versions, and which one is in force
``sources``          texts of public lists, fetched within limits; the last good one stays
``source_limits``    what a night of them costs, and servers that asked for a pause
``packed_text``      a text that comes as gzip, zip or tar.gz, unpacked within bounds
``version_content``  a version made of a catalogue and of texts of sources, and written

A site may follow **public lists** instead, or beside a feed (``BesideFolder``, with versions,
history and watch of its own); a version is then made here, of HTTPS alone:

``followed_sources``  which lists: those of ``site.yaml``, and those set by command
``source_rows``       those that can be followed, for people
``follow_file``       what commands have set, and entries that are left out
``followed_arrival``  the version that the texts of a night make
``followed_content``  its content, made in a child that has bounds of memory and time
``night_memory``      how much memory a child may take, and how many names that is

It is **judged and activated**:

``guard``            whether an authentic version may be activated
``orders``           orders of the law, ahead of held lists; an unknown ordering key waits
``released_holds``   held versions that the publisher's offline keys have released
``activation``       lists, catalogue, pointer and daemon change as one, or not at all
``version_watch``    the ten minutes after, and the daemon as the feed needs it
``policy_trial``     what the recorded days say of a version, a list or another policy: a child
``sync``             one run, from what is published to lists in force
``follower``         the process that does what is due
``schedule``         when to ask and when to take: slots, light checks, retries, rings

``program_standing`` which releases of filterd are offered, held, taken and taken back

``appliance_files``  the appliance's id, its last run, the latest known time
``standing``         how the site stands, for people; ``version_history``
``feed_config``      which feed or lists a site follows, and which lists are compiled for it

All of it runs in a process of its own: nothing that answers DNS imports it.
"""
