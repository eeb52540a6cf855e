# SPDX-License-Identifier: Apache-2.0
"""``filterd feed``: the signed feed of lists, as who publishes it and as who follows it."""

from __future__ import annotations

from filterd.cli import feed_appliance, feed_publisher
from filterd.cli.context import group

app = group("The signed feed of lists: follow it as a school, or publish it.")

app.command("trust")(feed_appliance.trust)
app.command("status")(feed_appliance.status)
app.command("history")(feed_appliance.history)
app.command("approve")(feed_appliance.approve)
app.command("refuse")(feed_appliance.refuse)
app.command("rollback")(feed_appliance.rollback)
app.command("hold")(feed_appliance.hold)
app.command("init")(feed_publisher.init)
app.command("build")(feed_publisher.build)
app.command("review")(feed_publisher.review)
app.command("publish")(feed_publisher.publish)
app.command("sign")(feed_publisher.sign)
app.command("release-hold")(feed_publisher.release_hold)
app.command("rotate-key")(feed_publisher.rotate_key)
app.command("verify")(feed_publisher.verify)
app.command("diff")(feed_publisher.diff)
