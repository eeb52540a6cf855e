# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a version of the feed that is being built, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # the texts of sources
    "{id}: {address} is no https address": "{id}: {address} không phải địa chỉ https",
    "{id}: its address points in a circle": "{id}: địa chỉ chuyển hướng vòng tròn",
    "{id}: the server answers with status {code}": "{id}: máy chủ trả lời với mã {code}",
    "{id}: it came compressed, unasked": "{id}: nội dung bị nén dù không được yêu cầu",
    "{id}: a web page came instead of a list": (
        "{id}: nhận được một trang web thay vì một danh sách"
    ),
    "{id}: it ended after {received} of {announced} octets": (
        "{id}: dừng sau {received} trên {announced} byte"
    ),
    "{file}: it is longer than {most} octets": "{file}: dài hơn {most} byte",
    "{id}: it is no text": "{id}: không phải văn bản",
    "{id}: it names nothing": "{id}: không có tên nào",
    "{id}: {problems} of {all} lines are not in the format {format}": (
        "{id}: {problems} trên {all} dòng không theo định dạng {format}"
    ),
    "{id}: it names {entries} and named {before}; remove {note} if that is right": (
        "{id}: có {entries} tên, trước đây {before}; hãy xóa {note} nếu đúng là vậy"
    ),
    # what a build would change
    "category {category}: {names} names without an order; lists of it come with signed orders"
    " only, remove them": (
        "nhóm {category}: {names} tên không có yêu cầu; danh sách của nhóm này chỉ đi cùng yêu cầu"
        " đã ký, hãy bỏ các tên đó"
    ),
    "category {category}: all its {had} names are gone": (
        "nhóm {category}: cả {had} tên đều không còn"
    ),
    "category {category}: {had} names become {has}": "nhóm {category}: từ {had} tên thành {has}",
    "all categories: {had} names become {has}": "tất cả các nhóm: từ {had} tên thành {has}",
    "{count} of the {top} most popular names would be closed, {allowed} are allowed: {names}": (
        "{count} trong {top} tên phổ biến nhất sẽ bị chặn, chỉ được phép {allowed}: {names}"
    ),
    "{path}: has no names; write one a line, the most popular first": (
        "{path}: không có tên nào; hãy viết mỗi dòng một tên, tên phổ biến nhất trước"
    ),
    "{path}: what is packed is not the content that was signed for": (
        "{path}: nội dung nén không phải nội dung đã ký"
    ),
}
