# SPDX-License-Identifier: Apache-2.0
"""The help of what a school does with its feed, in Vietnamese: part of ``help``."""

from __future__ import annotations

COMMANDS = {
    "Take the lists that the feed has published, verified and judged.": (
        "Nhận danh sách mà nguồn đã phát hành, sau khi kiểm tra chữ ký và nội dung."
    ),
    "Whatever is wrong with them leaves the last good ones in force.": (
        "Nếu có gì sai, danh sách tốt gần nhất vẫn được dùng."
    ),
    "Exit code 0: they are in force, or wait for their turn; 2: something is wrong here; 30 to"
    " 36: they did not come; 40 to 46: they must not be trusted; 50: they are held or"
    " refused.": (
        "Mã thoát 0: đã có hiệu lực, hoặc đang chờ đến lượt; 2: ở đây có lỗi; 30 đến 36: không"
        " nhận được; 40 đến 46: không đáng tin; 50: bị giữ lại hoặc từ chối."
    ),
    "The signed feed of lists: follow it as a school, or publish it.": (
        "Nguồn danh sách có chữ ký: nhận cho trường, hoặc phát hành."
    ),
    "Say whose signatures count, once, when the school is set up.": (
        "Cho biết tin chữ ký của ai; làm một lần, khi lắp đặt ở trường."
    ),
    "Compare the fingerprint that it prints with the publisher's, by telephone: all trust"
    " begins here.": (
        "Hãy gọi điện cho nơi phát hành để so dấu vân tay được in ra: mọi sự tin cậy bắt đầu từ"
        " đây."
    ),
    "Exit code 0: trusted; 2: not; 45: it is no root; 46: the school trusts another.": (
        "Mã thoát 0: đã tin; 2: chưa; 45: không phải tệp gốc; 46: trường đang tin tệp gốc khác."
    ),
    "Show which lists are in force, what waits and why, and how old all of it is.": (
        "Cho xem danh sách nào đang dùng, bản nào đang chờ và vì sao, và cũ đến đâu."
    ),
    "Exit code 0: all is well, or the school follows no feed; 1: look at it; 2: it cannot be"
    " told.": (
        "Mã thoát 0: mọi việc tốt, hoặc trường không nhận từ nguồn nào; 1: cần xem lại; 2: không"
        " trả lời được."
    ),
    "Show what became of the versions of the feed, the latest last.": (
        "Cho xem chuyện gì đã xảy ra với từng phiên bản, mới nhất ở cuối."
    ),
    "Put a version in force that is held because it changes much, or was rolled back.": (
        "Cho dùng một phiên bản bị giữ lại vì thay đổi nhiều, hoặc đã bị rút."
    ),
    "It is judged again; what nobody can approve of stays refused. It works without the"
    " Internet.": (
        "Phiên bản được kiểm tra lại; những gì không ai được chấp thuận thì vẫn bị từ chối. Không"
        " cần Internet."
    ),
    "Exit code 0: in force; 2: something is wrong; 50: not.": (
        "Mã thoát 0: đã có hiệu lực; 2: có lỗi; 50: chưa được."
    ),
    "Never take a version that waits; the next one may come.": (
        "Không bao giờ dùng phiên bản đang chờ; phiên bản sau vẫn được nhận."
    ),
    "Exit code 0: done; 2 or 50: not.": "Mã thoát 0: xong; 2 hoặc 50: chưa được.",
    "Go back to the version before, at once; the present one is not taken again.": (
        "Quay về phiên bản trước ngay; phiên bản hiện tại sẽ không được nhận lại."
    ),
    "It works without the Internet. The next version comes the night that it would have come:"
    " `filterd feed hold` keeps what is in force.": (
        "Không cần Internet. Phiên bản sau vẫn đến như mọi đêm: `filterd feed hold` giữ những gì"
        " đang dùng."
    ),
    "Keep the version that is in force until told otherwise.": (
        "Giữ phiên bản đang dùng cho đến khi có lệnh khác."
    ),
    "What the law orders urgently does not come either.": (
        "Lệnh chặn khẩn theo luật cũng không đến được."
    ),
}

OPTIONS = {
    "From there, a USB stick for one; else from the feed.": (
        "Nhận từ đó, chẳng hạn một thẻ USB; nếu không nêu: từ nguồn của trường."
    ),
    "Take it although other schools take it first.": (
        "Nhận ngay, dù một số trường khác được nhận trước."
    ),
    "Go on for ever: every night, and what is urgent.": (
        "Chạy mãi: nhận mỗi đêm, và nhận ngay những gì khẩn."
    ),
    "The publisher's, as it was handed out.": "Tệp mà nơi phát hành đã giao.",
    "Forget another root, and trust this one.": "Quên tệp gốc trước, và tin tệp này.",
    "Which version; else the one that waits.": (
        "Phiên bản nào; nếu không nêu: phiên bản đang chờ."
    ),
    "Why; it stands in the feed's history.": "Lý do; được ghi vào `filterd feed history`.",
    "Let versions come again.": "Cho nhận các phiên bản mới trở lại.",
}
