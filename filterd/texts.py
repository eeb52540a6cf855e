# SPDX-License-Identifier: Apache-2.0
"""What people read, in Vietnamese and English.

One table, a key a message, so that a translation is never missing without a
test saying so. Data that a school or the publisher writes (names, reasons,
category titles) is shown as it is written.
"""

from __future__ import annotations

from typing import Any, Literal

from filterd import texts_school

Language = Literal["vi", "en"]

_TEXTS: dict[str, tuple[str, str]] = {  # each message in Vietnamese and in English
    "check.blocked": ("BỊ CHẶN", "BLOCKED"),
    "check.passes": ("ĐƯỢC PHÉP", "PASSES"),
    "check.question": ("Câu hỏi", "Question"),
    "check.answer": ("Trả lời", "Answer"),
    "check.client": ("Máy", "Client"),
    "check.mac": ("Địa chỉ MAC", "MAC"),
    "check.random_mac": (
        "{mac} (do máy tự đặt, có thể thay đổi)",
        "{mac} (of the device's own making, may change)",
    ),
    "check.network": ("Mạng", "Network"),
    "check.grade": ("Khối lớp", "Grade"),
    "check.tier": ("Cấp tuổi", "Tier"),
    "check.reason": ("Vì", "Because"),
    "check.matched": ("Tên khớp", "Matched name"),
    "check.category": ("Nhóm", "Category"),
    "check.list": ("Danh sách", "List"),
    "check.entry": ("Mục", "Entry"),
    "check.note": ("Ghi chú", "Note"),
    "check.valid_until": ("Có hiệu lực đến", "Valid until"),
    "check.rewritten_to": ("Được thay bằng", "Answered by"),
    "check.next_match": ("Nếu không có mục này", "Without it"),
    "check.source": ("Nguồn", "Asked"),
    "check.unknown_network": ("không rõ", "unknown"),
    "check.no_line": ("{list}, dòng {line}", "{list}, line {line}"),
    "check.next_blocks": ("vẫn bị chặn: {what}", "still blocked: {what}"),
    "check.next_passes": ("được phép: {what}", "passes: {what}"),
    "check.next_nothing": ("không còn quy tắc nào khác: được phép", "no other rule: passes"),
    "check.may_not_ask": (
        "{address} không được hỏi máy chủ này: không thuộc mạng nào của trường và không có"
        " trong `allow_from`",
        "{address} may not ask here: it is in no network of the site nor in `allow_from`",
    ),
    "source.daemon": ("dịch vụ đang chạy", "the running daemon"),
    "source.offline": ("tệp trên đĩa", "the files on disk"),
    "reason.pin": ("tên được ghim: không ai được chặn", "pinned: nothing may block it"),
    "reason.ordered": ("theo yêu cầu của cơ quan có thẩm quyền", "a legal order"),
    "reason.protected": (
        "tên được bảo vệ khỏi danh sách của bên thứ ba",
        "protected from third-party lists",
    ),
    "reason.locked": ("nhóm bị khóa đối với mọi người", "a category locked for everybody"),
    "reason.local": ("quy định riêng của trường", "the school's own rule"),
    "reason.list-exception": ("danh sách có ngoại lệ cho tên này", "the list excepts this name"),
    "reason.category": ("nhóm không dành cho khối lớp này", "a category closed to this grade"),
    "reason.open": ("nhóm mở cho khối lớp này", "a category open to this grade"),
    "reason.allow-only": (
        "lúc này chỉ những tên được cho phép mới mở (giờ thi, hoặc giờ đóng)",
        "only what is allowed is open now (an exam, or closed hours)",
    ),
    "reason.not-asked": (
        "loại bản ghi không bao giờ được hỏi (chuyển vùng và tương tự)",
        "a type that is never asked for (zone transfers and the like)",
    ),
    "reason.not-listed": ("không có trong danh sách nào", "on no list"),
    "reason.alias": ("bí danh (CNAME) dẫn đến tên bị chặn", "its alias leads to a blocked name"),
    "reason.private-answer": (
        "tên công cộng dẫn đến địa chỉ nội bộ",
        "a public name that leads to a private address",
    ),
    "reason.rewritten": ("chế độ an toàn của dịch vụ", "the safe mode of the service"),
    "reason.local-zone": ("vùng tên riêng của trường", "a zone of the school's own"),
    "reason.lease": (
        "tên mà thiết bị báo với máy chủ DHCP",
        "a name that a device gave to the DHCP server",
    ),
    "reason.localhost": ("chính máy hỏi (localhost)", "the asking device itself (localhost)"),
    "reason.never-delegated": (
        "tên không tồn tại trên Internet",
        "a name that is not on the Internet",
    ),
    "reason.private-reverse": ("tên ngược của địa chỉ nội bộ", "reverse name of a private address"),
    "reason.single-label": ("tên chỉ có một nhãn", "a single label"),
    "reason.discovery": ("dò tìm proxy tự động (wpad, isatap)", "proxy discovery (wpad, isatap)"),
    "reason.canary": (
        "tín hiệu để thiết bị không dùng DNS mã hóa riêng",
        "the signal for devices not to use an encrypted DNS of their own",
    ),
    "reason.encrypted-dns-discovery": (
        "dò tìm DNS mã hóa",
        "discovery of encrypted DNS",
    ),
    "tier.preschool": ("mầm non", "preschool"),
    "tier.primary": ("tiểu học", "primary"),
    "tier.lower-secondary": ("trung học cơ sở", "lower secondary"),
    "tier.upper-secondary": ("trung học phổ thông", "upper secondary"),
    "tier.continuing": ("giáo dục thường xuyên", "continuing"),
    "tier.staff": ("giáo viên, nhân viên", "staff"),
    "tier.guest": ("khách", "guest"),
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
    "policy.valid": (
        "{path}: hợp lệ. {networks} mạng, {grades} khối lớp, {rules} quy định riêng.",
        "{path}: valid. {networks} networks, {grades} grades, {rules} rules of its own.",
    ),
    "policy.warning": ("cảnh báo: {warning}", "warning: {warning}"),
    "policy.service": ("Dịch vụ", "Service"),
    "policy.open": ("mở", "open"),
    "policy.closed": ("đóng", "closed"),
    "policy.locked": ("khóa", "locked"),
    "policy.state": ("Trạng thái", "State"),
    "policy.min_age": ("Từ tuổi", "From age"),
    "policy.title": (
        "Khối lớp {grade}: {tier}, {age} tuổi, trả lời khi chặn: {response}",
        "Grade {grade}: {tier}, age {age}, a block is answered by {response}",
    ),
    "policy.unknown": ("(máy không rõ)", "(unknown clients)"),
    "reload.done": (
        "Đã nạp lại: chính sách {policy}, {names} tên trong {lists} danh sách.",
        "Reloaded: policy {policy}, {names} names on {lists} lists.",
    ),
    "reload.restart_for": (
        "Cần khởi động lại để đổi: {what}",
        "A restart is needed to change: {what}",
    ),
    "status.title": ("filterd {version} đang chạy", "filterd {version} is running"),
    "status.school": ("Trường", "School"),
    "status.up": ("Đã chạy", "Up"),
    "status.seconds": ("{n} giây", "{n} s"),
    "status.policy": ("Chính sách", "Policy"),
    "status.lists": ("Danh sách", "Lists"),
    "status.names_on_lists": (
        "{names} tên, {lists} danh sách, biên dịch {when}",
        "{names} names, {lists} lists, compiled {when}",
    ),
    "status.listen": ("Lắng nghe", "Listens on"),
    "status.upstreams": ("Máy chủ trên", "Upstreams"),
    "status.no_upstream": ("không có: chỉ trả lời tên bị chặn", "none: only blocks are answered"),
    "status.up_down": ("không trả lời", "down"),
    "status.answers": ("Trả lời", "Answers"),
    "answered.blocked": ("chặn", "blocked"),
    "answered.local": ("tên riêng của trường", "local"),
    "answered.rewritten": ("chế độ an toàn", "rewritten"),
    "answered.cached": ("từ bộ nhớ đệm", "cached"),
    "answered.stale": ("dữ liệu quá hạn", "stale"),
    "answered.forwarded": ("hỏi máy chủ trên", "forwarded"),
    "answered.refused": ("từ chối", "refused"),
    "answered.failed": ("không có trả lời", "failed"),
    "answered.dropped": ("bỏ qua", "dropped"),
    "answered.malformed": ("sai dạng", "malformed"),
    "answered.notimp": ("không hỗ trợ", "not supported"),
    "answered.badvers": ("sai phiên bản EDNS", "of another EDNS version"),
    "answered.error": ("lỗi của filterd", "errors of ours"),
    "status.cache": ("Bộ nhớ đệm", "Cache"),
    "status.cache_line": (
        "{entries} mục, {octets} byte, trúng {hits}, trượt {misses}, quá hạn {stale},"
        " hỏi trước {refreshed}, lỗi được nhớ {failures}",
        "{entries} entries, {octets} octets, {hits} hits, {misses} misses, {stale} stale,"
        " {refreshed} refreshed ahead, {failures} failures remembered",
    ),
    "status.in_flight": ("Đang hỏi", "In flight"),
    "status.datagrams": ("Gói UDP", "Datagrams"),
    "status.datagrams_line": (
        "nhận {received}, chuyển sang TCP {truncated}, bỏ {dropped}, mất vì tràn hàng đợi {lost}",
        "{received} received, {truncated} sent to TCP, {dropped} dropped, {lost} lost to full"
        " queues",
    ),
    "status.today": ("Hôm nay", "Today"),
    "status.log_off": ("nhật ký đã tắt", "the log is off"),
    "status.log_lost": ("{n} không ghi được", "{n} lost before they could be written"),
    "counted.pass": ("được phép", "passed"),
    "counted.rewritten": ("an toàn", "safe mode"),
    "counted.blocked": ("chặn", "blocked"),
    "counted.local": ("tên riêng", "local"),
    "counted.refused": ("từ chối", "refused"),
    "counted.failed": ("lỗi", "failed"),
    "log.title": ("Trả lời trong {days} ngày", "Answers of {days} days"),
    "log.day": ("Ngày", "Day"),
    "log.own_rules": ("(quy định của trường)", "(rules of the school)"),
    "log.nothing": ("Chưa có gì được ghi.", "Nothing has been counted."),
    "status.modules": ("Mô-đun", "Modules"),
    "status.native": ("biên dịch (nhanh)", "native"),
    "status.pure": ("Python thuần (chậm): {names}", "pure Python (slow): {names}"),
    "init.done": (
        "Đã tạo {path}. Hãy sửa {site}, rồi chạy: filterd policy validate --config {path}",
        "{path} is ready. Edit {site}, then run: filterd policy validate --config {path}",
    ),
    "init.exists": (
        "{path} đã có: không ghi đè; hãy chọn thư mục khác",
        "{path} is there already: nothing is overwritten; choose another folder",
    ),
    "serve.ready": ("filterd đang lắng nghe: {listen}", "filterd listens on {listen}"),
    "serve.pure": (
        "cảnh báo: không có phần mở rộng biên dịch, tra cứu chậm hơn nhiều; hãy cài gcc và"
        " python3-dev rồi chạy `make setup`",
        "warning: the native extension is missing and lookups are much slower; install gcc and"
        " python3-dev, then run `make setup`",
    ),
    "serve.no_upstream": (
        "cảnh báo: không có máy chủ DNS trên nào; tên bị chặn vẫn được trả lời, tên khác nhận"
        " SERVFAIL",
        "warning: no upstream is known; blocks are answered, all other names get SERVFAIL",
    ),
    "serve.try": ("Hãy thử ở cửa sổ khác:", "Try in another terminal:"),
}
_TEXTS |= texts_school.TEXTS


class Texts:
    """Messages in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 0 if language == "vi" else 1

    def __call__(self, key: str, **values: Any) -> str:
        """Return a message with its values filled in."""
        return _TEXTS[key][self._column].format(**values)

    def word(self, group: str, key: str) -> str:
        """Return the message ``group.key``, or ``key`` itself where there is none."""
        texts = _TEXTS.get(f"{group}.{key}")
        return texts[self._column] if texts else key
