# SPDX-License-Identifier: Apache-2.0
"""What people read of the policy and of the daemon: part of ``texts``."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {  # each message in Vietnamese and in English
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
    "place": ("{address} cổng {port}", "{address} port {port}"),
    "status.title": ("filterd {version} đang chạy", "filterd {version} is running"),
    "status.school": ("Trường", "School"),
    "status.up": ("Đã chạy", "Up"),
    "status.seconds": ("{n} giây", "{n} s"),
    "status.policy": ("Chính sách", "Policy"),
    "status.lists": ("Danh sách", "Lists"),
    "status.feed": ("Nguồn danh sách", "Feed"),
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
    "status.doubts": ("Cần xem lại", "Look at"),
    "status.changes": ("Thay đổi", "Changes"),
    "status.today": ("Hôm nay", "Today"),
    "status.clock": ("Đồng hồ", "Clock"),
    "status.clock_unknown": (
        "chưa biết giờ: đồng hồ máy chỉ {shows}, còn giờ biết chắc lần cuối là {floor}. Cho đến khi"
        " biết giờ, lệnh chặn và kỳ thi chưa hết hạn vẫn áp dụng, ngoại lệ mở có thời hạn tạm"
        " ngừng, phòng có thời khóa biểu theo khối chặt nhất. Hãy chỉnh giờ (NTP, hoặc timedatectl"
        " set-time); nếu đồng hồ đúng: filterd clock accept",
        "the time is not known: the clock shows {shows}, and the last known time is {floor}. Until"
        " it is known all blocks and exams that have not ended hold, allows with an end do not,"
        " rooms with a timetable have its strictest grade. Set the clock (NTP, or timedatectl"
        " set-time); if it is right: filterd clock accept",
    ),
    "status.jumped": (
        "đồng hồ máy nhảy đột ngột đến {shows} nên chưa được tin; việc lọc vẫn theo giờ"
        " {policy_time}. Nếu đồng hồ đúng: filterd clock accept",
        "the clock has jumped to {shows} and is not believed yet; policy goes by {policy_time}."
        " If it is right: filterd clock accept",
    ),
    "status.no_time": (
        "{n} câu trả lời chờ được tính khi biết giờ",
        "{n} answers will be counted when the time is known",
    ),
    "clock.accepted": ("đã tin đồng hồ của máy: {when}", "the machine's clock is believed: {when}"),
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
