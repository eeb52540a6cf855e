# SPDX-License-Identifier: Apache-2.0
"""What is wrong where a school follows its feed, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # commands
    "no version of the feed waits for anybody; `filterd feed status` shows all": (
        "không có phiên bản nào đang chờ; `filterd feed status` cho xem tất cả"
    ),
    "the site follows no feed": "trường chưa nhận từ nguồn danh sách nào",
    "write its address there, as `feed: https://HOST/PATH`": (
        "hãy ghi địa chỉ vào đó: `feed: https://MÁY/ĐƯỜNG-DẪN`"
    ),
    "check --from: the folder that has metadata/ and targets/": (
        "xem lại --from: thư mục có metadata/ và targets/"
    ),
    # runs
    "the feed is being taken already": "nguồn danh sách đang được nhận",
    "version {version} of the feed is not at hand; `filterd sync` fetches it": (
        "không có sẵn phiên bản {version} của nguồn danh sách; `filterd sync` sẽ tải về"
    ),
    "version {version} of the feed is in force; `filterd feed rollback` leaves it": (
        "phiên bản {version} của nguồn danh sách đang có hiệu lực; `filterd feed rollback` để rời"
        " khỏi"
    ),
    # activation
    "no version of the feed is in force; the lists that ship are served": (
        "không có phiên bản nào của nguồn đang có hiệu lực; đang dùng danh sách kèm theo"
    ),
    "{path}: is not the index that was judged; the last good version stays, try again": (
        "{path}: không phải chỉ mục đã được kiểm tra; phiên bản tốt gần nhất vẫn được dùng, hãy"
        " thử lại"
    ),
    "version {version} of the feed: the daemon does not take it: {why}; the last good version"
    " stays": (
        "phiên bản {version} của nguồn danh sách: filterd đang chạy không nhận: {why}; phiên bản"
        " tốt gần nhất vẫn được dùng"
    ),
    # the watch
    "{part} % of answers were blocks, and {usual} % before": (
        "{part} % câu trả lời là chặn, trước đó {usual} %"
    ),
    "{part} % of answers were failures": "{part} % câu trả lời bị lỗi",
    "no worker answers any more": "không còn tiến trình nào trả lời",
    "{name} is not blocked and must be": "{name} không bị chặn mà lẽ ra phải bị",
}
