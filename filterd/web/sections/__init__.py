# SPDX-License-Identifier: Apache-2.0
"""The parts of ``site.yaml`` that pages edit; ``ORDER`` has them all."""

from filterd.web.sections import network_section, report_section, week_section

ORDER = (
    network_section.SCHOOL,
    network_section.NETWORKS,
    network_section.CLASSES,
    week_section.LESSONS,
    week_section.TIMETABLES,
    week_section.SCHEDULES,
    week_section.SCHEDULED,
    network_section.ZONES,
    network_section.UPSTREAMS,
    report_section.LOG,
    report_section.ALERTS,
    report_section.REPORT,
    report_section.PROGRAMMES,
)
BY_ID = {one.id: one for one in ORDER}
