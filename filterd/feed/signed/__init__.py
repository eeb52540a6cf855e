# SPDX-License-Identifier: Apache-2.0
"""Take versions that a publisher has signed.

::

    fetchers --> tuf_refresh --> version_download --> arrival: judged by ``guard``, then activated

``arrival``          what an arrival of versions is; that of a signed feed, with its light check
``trust``            the root that a site was given, and the metadata verified since
``fetchers``         files from one web server or from a folder, as TUF asks for them
``tuf_refresh``      what is newly published, verified; the announcement of urgent versions
``program_offer``    packages of the program, verified; a mirror of one for another reader
``version_download`` the new version's folder, of the old one and what was fetched
``deltas``           compressed files and the differences between two of them, bounded
"""
