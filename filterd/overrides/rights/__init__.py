# SPDX-License-Identifier: Apache-2.0
"""Judge who may change and see what.

::

    roles         a person's roles, and the author of a change
    permissions   whether an author may make a change, judged by its effect
    read_access   which role may read which part of the log
    teaching      whom a teacher teaches at this moment; own_lesson: the page of the lesson
"""
