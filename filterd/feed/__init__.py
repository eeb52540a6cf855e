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

A version **arrives**, signed by a publisher (``signed``), or it is made here of **public lists**
that a site follows instead, or beside a feed (``followed``; ``BesideFolder`` has versions, history
and watch of its own). ``families`` has the look-alike rules that listed names make, at a publisher
too:

``versions``         the last three versions, and which one is in force
``version_files``    names and signed data of a version's files, the manifest of its folder
``feed_config``      which feed or lists a site follows, and which lists are compiled for it

It is **judged and activated**:

``guard``            whether an authentic version may be activated
``held_versions``    of held versions: orders of the law ahead of them, holds that the
                     publisher's offline keys have released; an unknown ordering key waits
``admission``        a version judged, activated and watched, or the one before again
``activation``       forward or back: lists, catalogue, pointer and daemon, all or none
``version_watch``    the ten minutes after, and the daemon as the feed needs it
``policy_trial``     what the recorded days say of a version, a list or another policy: a child
``sync``             one run, from what is published to lists in force
``school_lists``     what a school decides on versions: sync, approve, roll back
``public_lists``     and on public lists: follow, update, exclude
``index_build``      the lists in force compiled anew, by a command or in a child
``follower``         the process that does what is due
``schedule``         when to ask and when to take: slots, light checks, retries, rings
``program_standing`` which releases of filterd are offered, held, taken and taken back

``appliance_files``  the appliance's id, its last run, the latest known time, what commands follow
``standing``         how the site stands, and the history of its versions
``feed_details``     the same in words, for people

All of it runs in a process of its own: nothing that answers DNS imports it.
"""
