# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the feed, taken or published, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # fetching
    "{url}: a web page came instead; does this network want a login?": (
        "{url}: nhận được một trang web thay vào đó; mạng này có đòi đăng nhập không?"
    ),
    "{url}: the server cannot be reached": "{url}: không kết nối được đến máy chủ",
    "{url}: it points in a circle": "{url}: chuyển hướng vòng tròn",
    "{url}: it points to another server, {to}": "{url}: chuyển hướng sang máy chủ khác, {to}",
    "{url}: the server answers with status {code}": "{url}: máy chủ trả lời với mã {code}",
    "{url}: it came compressed, unasked": "{url}: nội dung bị nén dù không được yêu cầu",
    "{url}: the connection ended before the file": "{url}: kết nối bị đứt giữa chừng",
    "{url}: nothing came for too long": "{url}: chờ quá lâu mà không nhận được gì",
    "{url}: it is longer than {most} octets": "{url}: dài hơn {most} byte",
    "the feed was not taken within {seconds} s": (
        "không nhận xong nguồn danh sách trong {seconds} giây"
    ),
    "the feed came at {rate} octets a second; {least} is the least": (
        "nguồn danh sách đến với {rate} byte một giây; ít nhất phải {least}"
    ),
    "'{address}' is no address of a feed": "'{address}' không phải địa chỉ của nguồn danh sách",
    "write https://HOST/PATH, without a name or password": (
        "hãy viết https://MÁY/ĐƯỜNG-DẪN, không có tên người dùng hay mật khẩu"
    ),
    "{name}: the name leaves the folder": "{name}: tên dẫn ra ngoài thư mục",
    "{name}: it is no plain file": "{name}: không phải là tệp thường",
    "{name}: it is a link": "{name}: là liên kết",
    # what is published
    "target {name} of the feed: {why}; the last good version stays, tell the publisher": (
        "tệp {name} của nguồn danh sách: {why}; phiên bản tốt gần nhất vẫn được dùng, hãy báo cho"
        " nơi phát hành"
    ),
    "it has no path, or one that leads elsewhere": "không có đường dẫn, hoặc dẫn ra nơi khác",
    "it has the name of another one": "trùng tên với tệp khác",
    "it is a file and a folder at once": "vừa là tệp vừa là thư mục",
    "all files together are larger than a feed may be": "tất cả các tệp cộng lại quá lớn",
    "there are more targets than a feed has": "có quá nhiều tệp",
    "its length is no length of a file of a feed": "độ dài không hợp lệ",
    "it has no SHA-256": "không có SHA-256",
    "it is neither a file nor a difference of two": (
        "không phải tệp cũng không phải phần chênh lệch"
    ),
    "its file is published twice": "tệp được phát hành hai lần",
    "a file of the feed: {length} octets are more than the {most} that a whole feed may have; the"
    " last good version stays, tell the publisher": (
        "một tệp của nguồn danh sách: {length} byte, nhiều hơn {most} byte cho cả nguồn; phiên bản"
        " tốt gần nhất vẫn được dùng, hãy báo cho nơi phát hành"
    ),
    "a file of the feed: it does not unpack to the {length} octets that were signed for; the last"
    " good version stays, tell the publisher": (
        "một tệp của nguồn danh sách: giải nén không được {length} byte như đã ký; phiên bản tốt"
        " gần nhất vẫn được dùng, hãy báo cho nơi phát hành"
    ),
    "a file of the feed: {packed} octets would become {length}, more than {most} for each; the"
    " last good version stays, tell the publisher": (
        "một tệp của nguồn danh sách: {packed} byte sẽ thành {length} byte, hơn {most} byte cho"
        " mỗi byte; phiên bản tốt gần nhất vẫn được dùng, hãy báo cho nơi phát hành"
    ),
    # taking
    "{path} of the feed: it unpacks to another content than the one that was signed for; the last"
    " good version stays": (
        "{path} của nguồn danh sách: nội dung giải nén khác với nội dung đã ký; phiên bản tốt gần"
        " nhất vẫn được dùng"
    ),
    "{folder}: the new version of the feed wants {wanted} MB free, and {there} MB are; make room,"
    " the last good version stays": (
        "{folder}: phiên bản mới của nguồn danh sách cần {wanted} MB trống, mà chỉ còn {there} MB;"
        " hãy dọn bớt, phiên bản tốt gần nhất vẫn được dùng"
    ),
    "{path}: the disk does not give back what was written": (
        "{path}: ổ đĩa không trả lại đúng những gì đã ghi"
    ),
    "version {version} of the feed was signed by a key that its publisher has withdrawn since;"
    " `filterd sync` fetches another": (
        "phiên bản {version} của nguồn danh sách được ký bằng khóa mà nơi phát hành đã thu hồi;"
        " `filterd sync` tải phiên bản khác"
    ),
    "released by the publisher's offline keys: {why}": (
        "nơi phát hành đã cho phép áp dụng bằng khóa ngoại tuyến: {why}"
    ),
    "what the law orders would be signed by another key than until now": (
        "các lệnh chặn theo pháp luật sẽ được ký bằng khóa khác với khóa trước nay"
    ),
    "{file} has expired": "{file} đã hết hạn",
    "{file} is of another role": "{file} thuộc vai trò khác",
    "version {version} of the feed was refused and stays so": (
        "phiên bản {version} của nguồn danh sách đã bị từ chối"
    ),
    "version {version} of the feed waits: version {current} is held ({why}); `filterd feed hold"
    " --off` lets it come": (
        "phiên bản {version} của nguồn danh sách đang chờ: phiên bản {current} được giữ ({why});"
        " `filterd feed hold --off` cho phép dùng"
    ),
    "version {version} of the feed: {path} is missing or damaged on this disk; `filterd sync`"
    " mends it": (
        "phiên bản {version} của nguồn danh sách: {path} bị thiếu hoặc hỏng trên ổ đĩa này;"
        " `filterd sync` sửa lại được"
    ),
    # trust
    "this is not a feed's root": "đây không phải tệp gốc của nguồn danh sách",
    "this is not a feed's root, signed by itself": (
        "đây không phải tệp gốc của nguồn danh sách, do chính nó ký"
    ),
    "{path}: the site trusts another root already": "{path}: trường đã tin một tệp gốc khác",
    "{path}: the site has no root to trust: {why} (filterd feed trust ROOT.json)": (
        "{path}: trường chưa có tệp gốc để tin: {why} (filterd feed trust ROOT.json)"
    ),
    "{path}: the root is damaged (filterd feed trust ROOT.json)": (
        "{path}: tệp gốc bị hỏng (filterd feed trust ROOT.json)"
    ),
    "the metadata is malformed: {what}": "dữ liệu mô tả sai dạng: {what}",
    "timestamp.json is of another role": "timestamp.json thuộc vai trò khác",
    "timestamp.json: `{key}` is no number": "timestamp.json: `{key}` không phải số",
    "timestamp.json is older than the last one seen": "timestamp.json cũ hơn lần nhận trước",
    "{name}: its SHA-256 is not signed": "{name}: SHA-256 của tệp không được ký",
    "not found: {what}": "không tìm thấy: {what}",
    "the feed's metadata cannot be kept: {why}": (
        "không lưu được dữ liệu mô tả của nguồn danh sách: {why}"
    ),
    "{name}: the role {role} must not sign this file": (
        "{name}: vai trò {role} không được ký tệp này"
    ),
    # publishing
    "the key is not of the kind Ed25519": "khóa không thuộc loại Ed25519",
    "others can read this private key": "người khác đọc được khóa bí mật này",
    "replace the key if they may have; then: chmod 600 {path}": (
        "nếu có thể đã bị đọc, hãy thay khóa; sau đó: chmod 600 {path}"
    ),
    "the key of the role {role} is missing": "thiếu khóa của vai trò {role}",
    "bring the medium that it is kept on, or give its folder": (
        "hãy gắn thiết bị cất khóa, hoặc ghi thư mục của khóa"
    ),
    "this is no private key, or the passphrase is not its own": (
        "đây không phải khóa bí mật, hoặc sai mật khẩu của khóa"
    ),
    "a private key must not be a link": "khóa bí mật không được là liên kết",
    "name the file": "hãy ghi chính tệp đó",
    "there is a key already": "đã có khóa",
    "choose an empty folder; a key is replaced by `filterd feed rotate-key`": (
        "hãy chọn thư mục trống; thay khóa bằng `filterd feed rotate-key`"
    ),
    "this key does not count for the role {role}": "khóa này không có giá trị với vai trò {role}",
    "too few of the keys of the role {role} have signed": (
        "chưa đủ số khóa của vai trò {role} đã ký"
    ),
    "{name}: only the role `orders` may name this file": (
        "{name}: chỉ vai trò `orders` được ghi tệp này"
    ),
    "{name}: the role `orders` may not name it": "{name}: vai trò `orders` không được ghi tệp này",
    "{name}: the file is missing": "{name}: thiếu tệp",
    "{name}: this is no name for a file of the feed": (
        "{name}: tên này không dùng được cho tệp của nguồn danh sách"
    ),
    "category {category}: {names} names without an order; lists of it come with signed orders "
    "only, remove them": (
        "nhóm {category}: {names} tên không kèm quyết định; danh sách của nhóm này chỉ đến cùng "
        "quyết định đã ký, hãy xóa đi"
    ),
    "{id}: {address} is no https address": "{id}: {address} không phải địa chỉ https",
    "{id}: its address points in a circle": "{id}: địa chỉ chuyển hướng vòng tròn",
    "{id}: the server answers with status {code}": "{id}: máy chủ trả lời với mã {code}",
    "{id}: it came compressed, unasked": "{id}: máy chủ tự ý nén dữ liệu",
    "{id}: a web page came instead of a list": "{id}: nhận được trang web thay vì danh sách",
    "{id}: it ended after {received} of {announced} octets": (
        "{id}: bị ngắt sau {received} trong {announced} byte"
    ),
    "{file}: it is longer than {most} octets": "{file}: dài hơn {most} byte",
    "category {category}: all its {had} names are gone": ("nhóm {category}: mất toàn bộ {had} tên"),
    "{count} of the {top} most popular names would be closed, {allowed} are allowed: {names}": (
        "{count} trong {top} tên được truy cập nhiều nhất sẽ bị chặn, mức cho phép là {allowed}: "
        "{names}"
    ),
    "category {category}: {count} popular names that must stay open would be closed: {names}": (
        "nhóm {category}: {count} tên phổ biến phải luôn mở sẽ bị chặn: {names}"
    ),
    "category {category}: {had} names become {has}": (
        "nhóm {category}: từ {had} tên thành {has} tên"
    ),
    "all categories: {had} names become {has}": "tất cả các nhóm: từ {had} tên thành {has} tên",
    "{path}: has no names; write one a line, the most popular first": (
        "{path}: không có tên nào; hãy ghi mỗi dòng một tên, tên phổ biến nhất trước"
    ),
    "{id}: it is no text": "{id}: không phải văn bản",
    "{id}: it names nothing": "{id}: không có tên nào",
    "{id}: {problems} of {all} lines are not in the format {format}": (
        "{id}: {problems} trong {all} dòng không đúng định dạng {format}"
    ),
    "{id}: it names {entries} and named {before}; remove {note} if that is right": (
        "{id}: có {entries} tên, trước đó có {before}; nếu đúng như vậy, hãy xóa {note}"
    ),
    "too few of the keys that count have signed: {what};"
    " the last good version stays, tell the publisher": (
        "chưa đủ khóa có giá trị đã ký: {what}; vẫn dùng bản tốt gần nhất, hãy báo nơi phát hành"
    ),
    "something older is offered than was seen or named: {what};"
    " the last good version stays, tell the publisher": (
        "bản được đưa ra cũ hơn bản đã thấy hoặc đã ghi: {what};"
        " vẫn dùng bản tốt gần nhất, hãy báo nơi phát hành"
    ),
    "nothing new has been signed for too long: {what};"
    " the last good version stays, check the clock and what is between here and the server": (
        "đã quá lâu không có bản mới được ký: {what}; vẫn dùng bản tốt gần nhất,"
        " hãy kiểm tra đồng hồ và đường mạng đến máy chủ"
    ),
    "what came is not what was signed for: {what}; the last good version stays, try again": (
        "nội dung nhận được không khớp với chữ ký: {what}; vẫn dùng bản tốt gần nhất, hãy thử lại"
    ),
    "a role is gone from the snapshot: {what}; the last good version stays, tell the publisher": (
        "một vai trò đã mất khỏi bản chụp: {what}; vẫn dùng bản tốt gần nhất, hãy báo nơi phát hành"
    ),
    "{url}: no secure connection; is the clock of this machine right?": (
        "{url}: không lập được kết nối an toàn; đồng hồ của máy này có đúng không?"
    ),
    "{path}: what is packed is not the content that was signed for": (
        "{path}: nội dung sau khi giải nén không khớp với chữ ký"
    ),
    "{path}: a feed has no file of this name; rename or remove it": (
        "{path}: nguồn danh sách không có tệp tên như vậy; hãy đổi tên hoặc xóa"
    ),
    "{folder}: there is nothing to publish": "{folder}: không có gì để phát hành",
}
