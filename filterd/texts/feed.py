# SPDX-License-Identifier: Apache-2.0
"""What a school reads of the feed that it follows: part of ``texts``."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {  # each message in Vietnamese and in English
    "feed.taking": ("Đang nhận danh sách", "Taking the feed"),
    "feed.judging": ("Đang kiểm tra phiên bản", "Judging the version"),
    "feed.activated": (
        "Phiên bản {version} đã có hiệu lực: {names} tên, tải {size}.",
        "Version {version} is in force: {names} names, {size} fetched.",
    ),
    "feed.site_is_wrong": (
        "tệp cấu hình của trường đang sai; danh sách đã có hiệu lực với cấu hình đúng gần nhất",
        "the site's files are wrong; the lists are in force with the site as it last was good",
    ),
    "feed.current": (
        "Phiên bản {version} đang có hiệu lực; không có gì mới.",
        "Version {version} is in force; there is nothing new.",
    ),
    "feed.waits": (
        "Đã phát hành phiên bản {version}; trường này nhận từ {at}, sau một số trường khác. Nhận"
        " ngay: filterd sync --now",
        "Version {version} is published; this school takes it from {at} on, after some others. At"
        " once: filterd sync --now",
    ),
    "feed.trusted": (
        "Từ nay trường tin danh sách được ký bởi chủ của tệp này.",
        "From now on the school trusts what the owner of this file has signed.",
    ),
    "feed.compare": (
        "Hãy gọi điện cho nơi phát hành và đọc dấu vân tay để so sánh.",
        "Call the publisher and read the fingerprint out to compare it.",
    ),
    "feed.no_address": (
        "Tiếp theo: ghi địa chỉ vào {path}: feed: https://...",
        "Next: write the address into {path}: feed: https://...",
    ),
    "feed.approved": (
        "Phiên bản {version} đã có hiệu lực: {names} tên.",
        "Version {version} is in force: {names} names.",
    ),
    "feed.refused": (
        "Phiên bản {version} sẽ không bao giờ được dùng; phiên bản sau vẫn được nhận.",
        "Version {version} is never taken; the next one may come.",
    ),
    "feed.rolled_back": (
        "Đã quay về phiên bản {version}; phiên bản {bad} sẽ không được nhận lại. Để giữ lâu hơn"
        ' một đêm: filterd feed hold --reason "..."',
        "Back at version {version}; version {bad} is not taken again. To keep it for longer than a"
        ' night: filterd feed hold --reason "..."',
    ),
    "feed.rolled_back_to_shipped": (
        "Không còn phiên bản trước nào nguyên vẹn: dùng danh sách kèm theo filterd; phiên bản"
        " {bad} sẽ không được nhận lại.",
        "No version before is whole: the lists that ship with filterd serve; version {bad} is not"
        " taken again.",
    ),
    "feed.holds": (
        "Giữ phiên bản {version}: không nhận phiên bản nào khác, kể cả lệnh khẩn, cho đến:"
        " filterd feed hold --off",
        "Version {version} stays: no other one is taken, urgent orders neither, until: filterd"
        " feed hold --off",
    ),
    "feed.released": (
        "Các phiên bản mới lại được nhận.",
        "New versions are taken again.",
    ),
    "feed.follows_none": (
        "Trường không nhận danh sách từ đâu: dùng danh sách kèm theo filterd.",
        "The school follows no feed: the lists that ship with filterd serve.",
    ),
    "feed.no_history": ("Chưa có gì.", "Nothing yet."),
    "feed.at": ("Lúc", "At"),
    "feed.version": ("Bản", "Version"),
    "feed.event": ("Việc", "What"),
    "feed.why": ("Lý do", "Why"),
    "feed.title": ("Nguồn danh sách của trường", "The feed that the school follows"),
    "feed.address": ("Địa chỉ", "Address"),
    "feed.root": ("Tin cậy", "Trust"),
    "feed.no_root": (
        "chưa có; dùng filterd feed trust ROOT.json",
        "none yet; filterd feed trust ROOT.json",
    ),
    "feed.in_force": ("Đang dùng", "In force"),
    "feed.shipped": ("danh sách kèm theo filterd", "the lists that ship with filterd"),
    "feed.serves_orders": (
        "danh sách trước đó, kèm các lệnh chặn của phiên bản {version}",
        "earlier lists, with the orders of version {version}",
    ),
    "feed.serves": ("phiên bản {version}", "version {version}"),
    "feed.published": ("Đã phát hành", "Published"),
    "feed.takes_at": ("Nhận từ", "Taken from"),
    "feed.verified": ("Kiểm tra lần cuối", "Last verified"),
    "feed.expires": ("Hiệu lực đến", "Holds until"),
    "feed.expired": ("Hết hiệu lực từ", "Expired"),
    "feed.tried": ("Thử lần cuối", "Last tried"),
    "feed.watched": ("Theo dõi đến", "Watched until"),
    "feed.before": ("Có thể quay về", "To go back to"),
    "feed.refused_ones": ("Đã từ chối", "Refused"),
    "feed.held": ("Đang giữ", "Held"),
    "feed.problem": ("Cần xem", "Look at"),
    "feed.judged": ("Phiên bản {version} đang chờ", "Version {version} waits"),
    "feed.contacts": ("Liên hệ", "Whom to call"),
    "feed.severity": ("Mức", "Severity"),
    "feed.found": ("Phát hiện", "What was found"),
    "freshness.fresh": ("mới", "fresh"),
    "freshness.old": ("đã cũ", "old"),
    "freshness.very-old": ("RẤT CŨ", "VERY OLD"),
    "freshness.never": ("chưa bao giờ nhận được", "never yet"),
    "freshness.unknown": (
        "không rõ: đồng hồ của máy sai",
        "unknown: the clock of this machine is wrong",
    ),
    "severity.note": ("lưu ý", "note"),
    "severity.held": ("giữ lại", "held"),
    "severity.refused": ("từ chối", "refused"),
    "feed-event.activated": ("có hiệu lực", "in force"),
    "feed-event.held": ("không được nhận", "not taken"),
    "feed-event.refused": ("bị từ chối", "refused"),
    "feed-event.approved": ("được chấp thuận", "approved"),
    "feed-event.rolled-back": ("đã rút lại", "rolled back"),
    "feed-event.pinned": ("được giữ", "held on to"),
    "feed-event.released": ("hết giữ", "let go"),
    "feed-event.failed": ("không thành", "failed"),
}
