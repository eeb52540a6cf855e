# SPDX-License-Identifier: Apache-2.0
"""Why a version of the feed is held or refused, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "version {version} of the feed is held: {why}{more}; the last good version stays, `filterd feed"
    " approve {version}` puts it in force all the same": (
        "phiên bản {version} của nguồn danh sách bị giữ lại: {why}{more}; phiên bản tốt gần nhất"
        " vẫn được dùng, `filterd feed approve {version}` cho phép áp dụng"
    ),
    "version {version} of the feed is refused: {why}{more}; the last good version stays, tell the"
    " publisher": (
        "phiên bản {version} của nguồn danh sách bị từ chối: {why}{more}; phiên bản tốt gần nhất"
        " vẫn được dùng, hãy báo cho nơi phát hành"
    ),
    " (and {more} more)": " (và {more} lý do khác)",
    "nothing was found": "không phát hiện gì",
    # process
    "it could not be loaded: {why}": "không nạp được: {why}",
    "it could not be judged: {why}": "không kiểm tra được: {why}",
    "it took more than {limit_s} s": "mất hơn {limit_s} giây",
    "it said more than a judgement": "kết quả kiểm tra dài bất thường",
    "what was said of it is no judgement": "kết quả kiểm tra không đọc được",
    "not all of it was checked": "chưa kiểm tra đủ các mục",
    # candidate
    "it could not be judged for this school: {why}": ("không kiểm tra được cho trường này: {why}"),
    "it could not be loaded: it needs more memory than a version may": (
        "không nạp được: cần nhiều bộ nhớ hơn mức cho phép"
    ),
    "what is in force cannot be compared: {why}": (
        "không so sánh được với danh sách đang dùng: {why}"
    ),
    "list {list} has {count} lines that mean nothing, such as {line}": (
        "danh sách {list} có {count} dòng vô nghĩa, chẳng hạn {line}"
    ),
    # files
    "{path} is not written as a list of the feed: {why}": (
        "{path} không được viết như một danh sách của nguồn: {why}"
    ),
    "it begins with a byte order mark": "bắt đầu bằng dấu thứ tự byte (BOM)",
    "it has zero octets": "có byte không (NUL)",
    "its lines end as those of Windows do": "xuống dòng theo kiểu Windows",
    "it has a line of more than {most} octets": "có dòng dài hơn {most} byte",
    "its last line has no end: it was cut": "dòng cuối không có dấu xuống dòng: tệp bị cắt",
    # golden
    "{wrong} of {asked} names that its lists close would be open: {names}": (
        "{wrong} trong {asked} tên mà danh sách chặn lại không bị chặn: {names}"
    ),
    "{wrong} names that are on no list would be closed: {names}": (
        "{wrong} tên không có trong danh sách nào lại bị chặn: {names}"
    ),
    "{wrong} of {asked} names on its lists stay open by its own exceptions: {names}": (
        "{wrong} trong {asked} tên trong danh sách vẫn mở do chính các ngoại lệ của nó: {names}"
    ),
    # tables
    "{table}: {count} of {had} entries would go or change: {names}": (
        "{table}: {count} trong {had} mục sẽ mất hoặc bị thay đổi: {names}"
    ),
    "{table}: {count} entries would come to {had}: {names}": (
        "{table}: thêm {count} mục vào {had} mục đang có: {names}"
    ),
    "{count} days of the year to come would be holidays; {ships} ship, {most} are the most": (
        "{count} ngày trong năm tới sẽ là ngày nghỉ; bản kèm theo filterd có {ships} ngày, nhiều"
        " nhất được {most} ngày"
    ),
    # rewrites
    "{count} names would be answered for by others that safe search may not use: {names}": (
        "{count} tên sẽ bị trỏ sang tên khác mà tìm kiếm an toàn không được dùng: {names}"
    ),
    # essentials
    "{count} names beneath essential ones would be closed: {names}": (
        "{count} tên nằm dưới các tên thiết yếu sẽ bị chặn: {names}"
    ),
    "{count} popular names that must stay open would be closed: {names}": (
        "{count} tên phổ biến phải luôn mở sẽ bị chặn: {names}"
    ),
    "category {category}: {count} of {asked} names that {whose} closes would be open: {names}": (
        "nhóm {category}: {count} trong {asked} tên mà {whose} đang chặn sẽ được mở: {names}"
    ),
    "the version in force": "phiên bản đang dùng",
    "what ships": "bản kèm theo filterd",
    "{count} essential names would be closed: {names}": "{count} tên thiết yếu sẽ bị chặn: {names}",
    "{count} names that were essential until now would be closed: {names}": (
        "{count} tên cho đến nay là thiết yếu sẽ bị chặn: {names}"
    ),
    "{count} suffixes under which anybody registers names would be closed: {names}": (
        "{count} đuôi tên miền ai cũng đăng ký được sẽ bị chặn: {names}"
    ),
    "{count} suffixes under which anybody registers names would be open for good: {names}": (
        "{count} đuôi tên miền ai cũng đăng ký được sẽ luôn mở: {names}"
    ),
    "list {list} has {count} entries that no list may have: {names}": (
        "danh sách {list} có {count} mục mà không danh sách nào được có: {names}"
    ),
    # changes
    "of {had} popular names to compare by {has} are left": (
        "trong {had} tên phổ biến dùng để so sánh chỉ còn {has}"
    ),
    "{lost} of {total} questions of the last days would be closed: {names}": (
        "{lost} trong {total} câu hỏi những ngày qua sẽ bị chặn: {names}"
    ),
    "category {category} would be open to {grades}": "nhóm {category} sẽ mở cho {grades}",
    "{count} of {asked} names that were closed until now would be open: {names}": (
        "{count} trong {asked} tên đang bị chặn sẽ được mở: {names}"
    ),
    # canaries
    "category {category}: it must be closed to everybody, and has no name to ask for": (
        "nhóm {category}: phải chặn với mọi người, mà không có tên nào để thử"
    ),
    "category {category}: {count} of {asked} names that must be closed would be open: {names}": (
        "nhóm {category}: {count} trong {asked} tên phải chặn lại mở: {names}"
    ),
}
