# SPDX-License-Identifier: Apache-2.0
"""Arguments and options in Vietnamese, and the words of help pages: part of ``help``."""

from __future__ import annotations

OPTIONS = {
    "Folder of site.yaml; else /etc/filterd or ./policies.": (
        "Thư mục có site.yaml; nếu không nêu: /etc/filterd hoặc ./policies."
    ),
    "Folder of compiled lists and policy; else /var/lib/filterd or ./.state.": (
        "Thư mục của danh sách và chính sách đã biên dịch; nếu không nêu: /var/lib/filterd hoặc"
        " ./.state."
    ),
    "Language of messages; else that of the site.": (
        "Ngôn ngữ hiển thị; nếu không nêu: theo site.yaml."
    ),
    "Print JSON for scripts.": "In ra JSON, để dùng trong script.",
    "Print the version.": "In ra phiên bản.",
    "Show this message and exit.": "Hiển thị trợ giúp này rồi thoát.",
    "A name such as www.youtube.com, service:youtube, category:games, or entry:NAME for the"
    " entry of a list that names NAME by mistake.": (
        "Một tên miền như www.youtube.com, service:youtube (dịch vụ), category:games (nhóm), hoặc"
        " entry:TÊN khi một danh sách chặn nhầm TÊN."
    ),
    "Why; it stands in the history.": "Lý do; được ghi vào lịch sử.",
    "For a grade: 1-12, staff, ...": "Cho một khối lớp: 1-12, staff, ...",
    "For a tier: primary, ...": "Cho một cấp tuổi: primary, ...",
    "For whoever is in a room.": "Cho những ai ở trong một phòng.",
    "For the device at this address.": "Cho máy có địa chỉ này.",
    "For a network.": "Cho một mạng.",
    "For so long: 45m, 2h, 3d.": "Trong bao lâu: 45m (phút), 2h (giờ), 3d (ngày).",
    "Until 17:00, 2026-12-01T07:30, or the end of 2026-12-01.": (
        "Đến 17:00, đến 2026-12-01T07:30, hoặc đến hết ngày 2026-12-01."
    ),
    "Until the lesson that is on ends.": "Đến hết tiết đang học.",
    "Until somebody takes it back.": "Cho đến khi có người bỏ.",
    "Not before this time.": "Bắt đầu từ lúc này; nếu không nêu: ngay bây giờ.",
    "Of the change; else your own last one.": (
        "Số của thay đổi; nếu không nêu: thay đổi gần nhất của chính mình."
    ),
    "Why.": "Lý do.",
    "What a list names by mistake.": "Tên bị một danh sách chặn nhầm.",
    "Why it is a mistake.": "Vì sao đó là nhầm lẫn.",
    "Open it until then; else for 14 days.": "Mở đến lúc này; nếu không nêu: 14 ngày.",
    "Show what was reported, and which lists mended it.": (
        "Xem những gì đã báo, và danh sách nào đã sửa."
    ),
    "Write all reports for the centre.": "Ghi mọi báo cáo vào tệp để gửi trung tâm.",
    "Print commands that show what different classes get.": (
        "In ra các lệnh để thử xem từng khối lớp nhận được gì."
    ),
    "The name, such as www.tiktok.com.": "Tên miền, như www.tiktok.com.",
    "As whom: 1-12, preschool, staff, guest, ...": (
        "Hỏi như khối lớp nào: 1-12, preschool, staff, guest, ..."
    ),
    "As the device with this address.": "Hỏi như máy có địa chỉ này.",
    "Type of record.": "Loại bản ghi.",
    "At another time: 17:00, t2 08:00 or 2026-12-01T07:30.": (
        "Vào lúc khác: 17:00, t2 08:00 (thứ hai tới) hoặc 2026-12-01T07:30."
    ),
    "Ask the files on disk, not the running daemon.": (
        "Theo các tệp trên đĩa, không hỏi filterd đang chạy."
    ),
    "The folder to make.": "Thư mục cần tạo.",
    "Print nothing but errors.": "Chỉ in ra lỗi.",
    "Leave out the site's own lists.": "Bỏ qua danh sách riêng của trường.",
    "Leave a running daemon the lists that it has.": (
        "Để filterd đang chạy tiếp tục dùng danh sách cũ."
    ),
    "The name to look for, with what lies above it.": (
        "Tên miền cần tìm; các tên cấp trên của nó cũng được tìm."
    ),
    "1-12, staff, guest, ...": "1-12, staff, guest, ...",
    "Open a category.": "Mở một nhóm.",
    "Close a category.": "Đóng một nhóm.",
    "Open a service.": "Mở một dịch vụ.",
    "Close a service.": "Đóng một dịch vụ.",
    "This grade only; else all.": "Chỉ khối lớp này; nếu không nêu: tất cả.",
    "Compare two grades with each other.": "So sánh hai khối lớp với nhau.",
    "Compare two versions: a digest of `policy history`, a time, or now.": (
        "So sánh hai phiên bản: mã băm trong `policy history`, một thời điểm, hoặc now (hiện tại)."
    ),
    "YAML of expectations; else those that a reload goes by.": (
        "Tệp YAML có các mong đợi; nếu không nêu: những mong đợi mà mỗi lần nạp lại phải đạt."
    ),
    "The last N of each.": "N mục gần nhất của mỗi phần.",
    "Today and before.": "Số ngày, kể cả hôm nay.",
    "Those that have ended, too.": "Kể cả những gì đã kết thúc.",
    "Networks that are no rooms, too.": "Kể cả những mạng không phải phòng.",
    "Its number in `filterd exceptions list`.": "Số trong `filterd exceptions list`.",
    "Its id among the networks of site.yaml.": "Mã của phòng trong mục networks của site.yaml.",
    "Who sits there: 1-12, staff, ...": "Khối lớp ngồi ở đó: 1-12, staff, ...",
    "How long to watch; Enter ends it.": "Theo dõi trong bao lâu; nhấn Enter để kết thúc.",
    "Keep the devices that it has.": "Giữ cả những thiết bị đã có của phòng.",
    "Take MACs that devices make up, too.": "Nhận cả địa chỉ MAC do thiết bị tự đặt.",
    "CSV with columns room and mac.": "Tệp CSV có cột room và mac.",
    "Where to; else it is printed.": "Ghi vào đâu; nếu không nêu: in ra màn hình.",
    "Where to write what was asked for.": "Tệp để ghi những tên được hỏi.",
    "How long it lasts; Enter ends it.": "Thi thử trong bao lâu; nhấn Enter để kết thúc.",
    "How long: 45m, 90m, 2h.": "Thi trong bao lâu: 45m, 90m, 2h.",
    "When it begins; else now.": "Lúc bắt đầu; nếu không nêu: ngay bây giờ.",
    "What it needs; may be repeated.": "Những gì cần để thi; có thể nêu nhiều lần.",
    "A service that it needs; may be repeated.": "Dịch vụ cần để thi; có thể nêu nhiều lần.",
    "Which exam.": "Kỳ thi nào.",
    "Its number in `filterd exam list`.": "Số trong `filterd exam list`.",
    "The one that is on in this room.": "Kỳ thi đang diễn ra ở phòng này.",
    "And what this grade may use now.": "Kèm theo khối lớp này đang được dùng gì.",
    "Those of one category only.": "Chỉ những dịch vụ của một nhóm.",
    "Its id, such as youtube.": "Mã của dịch vụ, như youtube.",
    "The last N changes.": "N thay đổi gần nhất.",
}
"""What arguments and options are for: English -> Vietnamese."""

WORDS = {
    "Usage": "Cách dùng",
    "Arguments": "Tham số",
    "Options": "Tùy chọn",
    "Commands": "Lệnh",
    "[OPTIONS]": "[TÙY_CHỌN]",
    "COMMAND": "LỆNH",
    "[ARGUMENTS]": "[THAM_SỐ]",
    "default": "mặc định",
    "required": "bắt buộc",
    "environment": "biến môi trường",
    "DIR": "THƯ_MỤC",
    "FILE": "TỆP",
    "FILE|NAME": "TỆP|TÊN",
    "GRADE": "KHỐI",
    "ID": "MÃ",
    "IP": "IP",
    "N": "N",
    "NAME": "TÊN",
    "NUMBER": "SỐ",
    "ROOM": "PHÒNG",
    "ROOT.json": "ROOT.json",
    "SERVICE": "DỊCH_VỤ",
    "TARGET": "ĐỐI_TƯỢNG",
    "TEXT": "NỘI_DUNG",
    "TIER": "CẤP",
    "TIME": "THỜI_GIAN",
    "TYPE": "LOẠI",
    "VERSION": "PHIÊN_BẢN",
    "vi|en": "vi|en",
}
"""Titles of help pages, and words that stand for a value: English -> Vietnamese."""
