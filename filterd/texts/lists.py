# SPDX-License-Identifier: Apache-2.0
"""What people read of lists and of lines that are not taken: part of ``texts``."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {  # each message in Vietnamese and in English
    "lists.compiling": ("Đang biên dịch danh sách", "Compiling lists"),
    "lists.title": ("Danh sách đã biên dịch", "Compiled lists"),
    "lists.id": ("Danh sách", "List"),
    "lists.category": ("Nhóm", "Category"),
    "lists.kept": ("Nhận", "Kept"),
    "lists.not_taken": ("Bỏ qua", "Not taken"),
    "lists.duplicate": ("Trùng", "Duplicate"),
    "lists.redundant": ("Thừa", "Redundant"),
    "lists.services": ("({n} dịch vụ)", "({n} services)"),
    "lists.names": ("{names} tên, {octets} byte", "{names} names, {octets} octets"),
    "lists.took": ("Biên dịch trong {seconds} giây", "Compiled in {seconds} s"),
    "lists.reasons": ("Bỏ qua vì mục hoặc dòng đó", "Not taken because the entry or line"),
    "lists.see_problems": (
        "Từng dòng không được nhận: {path}",
        "Every line that was not taken: {path}",
    ),
    "lists.nothing_kept": (
        "cảnh báo: {list}: không mục nào trong {lines} dòng dùng được; kiểm tra tệp và `format`",
        "warning: {list}: nothing in its {lines} lines can be used; check file and `format`",
    ),
    "lists.single_hosts": (
        "Chỉ ghi từng máy, nên các tên con vẫn mở dù nhóm đã khóa: {lists}. "
        "Nếu danh sách muốn chặn cả tên miền, thêm `subtrees: true` ở nơi khai báo nó.",
        "Single hosts only, so what is beneath these names stays open though the category is "
        "locked: {lists}. If a list means whole domains, write `subtrees: true` where it is named.",
    ),
    "lists.popular_closed": (
        "cảnh báo: {list} (nhóm {category}) vừa chặn thêm tên phổ biến đối với {grades}: {names}; "
        "nếu nhầm, sửa danh sách hoặc dùng `filterd report-mistake TÊN`",
        "warning: {list} (category {category}) newly closes popular names to {grades}: {names}; "
        "if that is a mistake, mend the list or use `filterd report-mistake NAME`",
    ),
    "lists.more": (" và {n} tên nữa", " and {n} more"),
    "lists.built_at": ("Biên dịch lúc {when}", "Compiled at {when}"),
    "lists.reloaded": ("Dịch vụ đang chạy đã dùng danh sách mới.", "The daemon serves them now."),
    "lists.not_running": (
        "Dịch vụ chưa chạy; khi chạy sẽ dùng danh sách này.",
        "The daemon is not running; it will serve them when it starts.",
    ),
    "lists.not_listed": ("{name} không có trong danh sách nào", "{name} is on no list"),
    "lists.effect": ("Ý nghĩa", "Effect"),
    "not-taken.not-a-name": ("không phải tên miền", "is not a host name"),
    "not-taken.bad-idn": ("có chữ cái mà tên miền không có", "has letters that no name has"),
    "not-taken.ip-address": ("là địa chỉ IP, không phải tên", "is an address, not a name"),
    "not-taken.url-with-path": (
        "là URL; cắt bớt sẽ chặn cả trang",
        "is a URL; cut down it would block a whole site",
    ),
    "not-taken.regular-expression": ("là biểu thức chính quy", "is a regular expression"),
    "not-taken.unsupported-pattern": (
        "là mẫu không thể viết bằng tên miền",
        "is a pattern that no name can express",
    ),
    "not-taken.too-long": ("quá dài", "is too long"),
    "not-taken.unsupported-modifier": (
        "có tùy chọn mà bộ lọc DNS không thể theo",
        "has a modifier that DNS filtering cannot honour",
    ),
    "not-taken.unsupported-option": (
        "yêu cầu việc khác, không phải chặn hay ngoại lệ",
        "asks for something other than to block or except",
    ),
    "not-taken.unsupported-trigger": (
        "xét điều khác, không phải tên được hỏi",
        "looks at something other than the name asked for",
    ),
    "not-taken.cosmetic-rule": ("chỉ ẩn một phần trang web", "only hides a part of a page"),
    "not-taken.not-a-sinkhole-address": (
        "gán tên cho một địa chỉ thật",
        "maps a name to a real address",
    ),
    "not-taken.local-name": ("là tên của chính máy; vô hại", "names the machine itself; harmless"),
    "not-taken.bad-syntax": (
        "không theo định dạng của danh sách",
        "does not follow the format of the list",
    ),
    "not-taken.too-many-conditions": (
        "có điều kiện riêng, mà danh sách đã có quá nhiều điều kiện",
        "has conditions of its own, and the list has too many already",
    ),
    "not-taken.unknown-encoding": ("không phải UTF-8", "is not UTF-8 text"),
    "not-taken.everything": ("sẽ chặn mọi tên", "would hold for every name"),
    "not-taken.single-label": ("chỉ có một nhãn", "is a single label"),
    "not-taken.public-suffix": (
        "là đuôi công cộng, nhiều người khác cùng dùng",
        "is a suffix under which strangers register names",
    ),
    "not-taken.pinned": ("là tên được ghim: không ai được chặn", "is pinned: nothing may block it"),
    "not-taken.protected": (
        "là tên được bảo vệ; để riêng",
        "is protected from third-party lists; set aside",
    ),
    "not-taken.cancelled": ("bị chính danh sách hủy", "is cancelled by the list itself"),
    "effect.BLOCK": ("chặn", "block"),
    "effect.EXCEPT": ("ngoại lệ", "exception"),
}
