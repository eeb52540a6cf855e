# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the words of a command, and what the daemon cannot do, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "--lang '{given}' is no language here": "--lang '{given}' không phải ngôn ngữ có ở đây",
    "vi or en": "vi hoặc en",
    "{first} and {second} exclude each other": "không dùng {first} cùng với {second}",
    "give one": "hãy dùng một trong hai",
    "give one of them": "hãy dùng một trong hai",
    "make one exception for each": "hãy đặt mỗi bên một ngoại lệ",
    # names, grades and whom
    "{text} is no name: {reason}": "{text} không phải tên miền: {reason}",
    "write a name such as vnu.edu.vn": "hãy viết tên miền, ví dụ vnu.edu.vn",
    "{text} is a URL": "{text} là URL",
    "a lookup is for its host: {host}": "DNS chỉ hỏi tên máy: {host}",
    "{text} is an address, which needs no lookup": "{text} là địa chỉ IP, không cần hỏi DNS",
    "{text} is no grade": "không có khối lớp {text}",
    "one of {known}": "một trong: {known}",
    "{value} is no tier": "không có cấp tuổi {value}",
    "{option} {value} is no address": "{option} {value} không phải địa chỉ IP",
    "--client {client} is no address": "--client {client} không phải địa chỉ IP",
    "such as 10.0.6.21": "ví dụ 10.0.6.21",
    "`lists-search` wants qname": "`lists-search` cần qname",
    "`policy` wants digest, or nothing": "`policy` cần digest, hoặc không gì cả",
    "`expectations` wants a list of them, or nothing": (
        "`expectations` cần một danh sách, hoặc không gì cả"
    ),
    "'{before}:' is no kind of target": "không có loại đối tượng '{before}:'",
    "--grade and --client exclude each other": "không dùng --grade cùng với --client",
    "--type: {reason}": "--type: {reason}",
    "{address} may not ask here: it is in no network of the site nor in `allow_from`": (
        "{address} không được hỏi máy chủ này: không thuộc mạng nào của trường và không có"
        " trong `allow_from`"
    ),
    "'{service}' is no service": "không có dịch vụ '{service}'",
    # times
    "write 17:00, t5 07:30, 2026-12-01 or 2026-12-01T07:30": (
        "hãy viết 17:00, t5 07:30, 2026-12-01 hoặc 2026-12-01T07:30"
    ),
    "write 2026-12-01T07:30": "hãy viết 2026-12-01T07:30",
    "'{text}' is no length of time": "'{text}' không phải khoảng thời gian",
    "write 45m, 2h, 1h30m or 3d": "hãy viết 45m, 2h, 1h30m hoặc 3d",
    "{text} is past": "{text} đã qua",
    "for tomorrow write {time}": "nếu là ngày mai, hãy viết {time}",
    "'{weekday}' is no weekday": "'{weekday}' không phải thứ trong tuần",
    "for how long is not said": "chưa ghi trong bao lâu",
    "--for 45m, --until 17:00, --lesson or --permanent": (
        "--for 45m, --until 17:00, --lesson hoặc --permanent"
    ),
    "what was in force at {told} is not known": "không biết lúc {told} áp dụng những gì",
    "`filterd policy history` shows from when it is": (
        "`filterd policy history` cho biết có từ bao giờ"
    ),
    # policies
    "see `filterd policy history`": "hãy xem `filterd policy history`",
    "see `policy history`": "hãy xem `filterd policy history`",
    "'{text}' is no version": "'{text}' không phải phiên bản",
    "a digest of `filterd policy history`, a time such as 2026-12-01T07:30, or now": (
        "một mã trong `filterd policy history`, thời điểm như 2026-12-01T07:30, hoặc now"
    ),
    "--between stands alone": "--between phải dùng một mình",
    "leave out --grade and --versions": "hãy bỏ --grade và --versions",
    "nothing to set": "chưa ghi đặt gì",
    "one thing at a time can be set": "mỗi lần chỉ đặt được một thứ",
    "one of --allow-category, --block-category, --allow-service, --block-service": (
        "một trong --allow-category, --block-category, --allow-service, --block-service"
    ),
    "no setting of a grade is left to take back": (
        "không còn mục nào đặt cho khối lớp để hoàn tác"
    ),
    # exams and rooms
    "--for {length} is too long for a trial run": "--for {length} quá dài đối với thi thử",
    "4h at most": "nhiều nhất 4h",
    "there is no folder {parent}": "không có thư mục {parent}",
    "check --out": "hãy kiểm tra --out",
    "there is no such exam": "không có kỳ thi như vậy",
    "`filterd exam list --all` shows all": "`filterd exam list --all` cho xem tất cả",
    "there are several exams": "có nhiều kỳ thi",
    "name one: {known}": "hãy chọn một: {known}",
    "an exam needs something": "kỳ thi cần mở thứ gì đó",
    "--allow FILE, --allow NAME, --service ID": "--allow TỆP, --allow TÊN, --service MÃ",
    "'{word}' is neither a name nor a service": (
        "'{word}' không phải tên miền cũng không phải dịch vụ"
    ),
    "'{room}' is no room": "không có phòng '{room}'",
    "{room} is no room; known: {known}": "không có phòng {room}; có: {known}",
    "name networks in site.yaml": "hãy khai báo networks trong site.yaml",
    "the first line names no columns room and mac": "dòng đầu không có cột room và mac",
    "such as: room,mac": "ví dụ: room,mac",
    "{mac} stands in {room}, too": "{mac} cũng có trong phòng {room}",
    "the file is too large": "tệp quá lớn",
    "1 MiB at most": "nhiều nhất 1 MiB",
    "the file is not UTF-8 text": "tệp không phải UTF-8",
    "save it as UTF-8": "hãy lưu ở dạng UTF-8",
    "the room {room} is not watched; `filterd room learn` does that": (
        "phòng {room} không được theo dõi; `filterd room learn` làm việc đó"
    ),
    "`ip` does not tell which devices there are; install iproute2": (
        "lệnh `ip` không cho biết có những thiết bị nào; hãy cài iproute2"
    ),
    "there is no trial in {room}; `filterd exam learn` begins one": (
        "không có thi thử trong phòng {room}; `filterd exam learn` bắt đầu thi thử"
    ),
    # mistakes of lists
    "NAME": "TÊN",
    "{missing} is missing": "thiếu {missing}",
    'filterd report-mistake NAME --reason "..."': 'filterd report-mistake TÊN --reason "..."',
    "--list and --export take no name": "--list và --export không đi cùng tên miền",
    "leave it out": "hãy bỏ đi",
    # a new site
    "{path} is there already: nothing is overwritten; choose another folder": (
        "{path} đã có: không ghi đè; hãy chọn thư mục khác"
    ),
    "{folder}: cannot be made: {why}": "{folder}: không tạo được: {why}",
    # the daemon
    "{path}: no running filterd answers ({why}); start it with `filterd serve`, or name its state"
    " folder with --state": (
        "{path}: không có filterd nào đang chạy ở đó ({why}); hãy khởi động bằng `filterd serve`,"
        " hoặc ghi thư mục trạng thái của nó bằng --state"
    ),
    "{path}: {user} may not ask filterd; root and the groups {admins} and {teachers} may, from the"
    " next login on (`usermod -aG {teachers} {user}`)": (
        "{path}: {user} không được hỏi filterd; root và các nhóm người dùng {admins}, {teachers}"
        " thì được, từ lần đăng nhập sau (`usermod -aG {teachers} {user}`)"
    ),
    "{path}: filterd gave no answer; see its log": (
        "{path}: filterd không trả lời; xem nhật ký của nó"
    ),
    "{where}: filterd is of another version; restart it": (
        "{where}: filterd đang chạy thuộc phiên bản khác; hãy khởi động lại"
    ),
    "the command failed inside filterd; see its log": (
        "filterd gặp lỗi khi thực hiện lệnh; xem nhật ký của nó"
    ),
    "this filterd does not know that command": "filterd đang chạy không biết lệnh này",
    "`history-check` wants qname, qtype, grade, client and at, a Unix time": (
        "`history-check` cần qname, qtype, grade, client và at, một thời điểm Unix"
    ),
    "`check` wants qname, qtype, grade, client and at": (
        "`check` cần qname, qtype, grade, client và at"
    ),
    "`log totals` wants days, 1 to {most}, and a grade": (
        "`log totals` cần days, từ 1 đến {most}, và một khối lớp"
    ),
    "`overrides` wants at, a Unix time, or nothing": (
        "`overrides` cần at, một thời điểm Unix, hoặc không gì cả"
    ),
    "`history` wants limit, 1 to {most}": "`history` cần limit, từ 1 đến {most}",
    "{path}: cannot listen there: {why}": "{path}: không lắng nghe được ở đó: {why}",
    "cannot listen on {address} port {port}: {why}": (
        "không lắng nghe được ở {address} cổng {port}: {why}"
    ),
    "another server has it; see `ss -lunpt`, or change `listen` in site.yaml": (
        "máy chủ khác đang dùng; xem `ss -lunpt`, hoặc sửa `listen` trong site.yaml"
    ),
    "ports below 1024 need root or CAP_NET_BIND_SERVICE": (
        "cổng dưới 1024 cần root hoặc CAP_NET_BIND_SERVICE"
    ),
    "this machine has no such interface; change `listen` in site.yaml": (
        "máy này không có cổng mạng đó; hãy sửa `listen` trong site.yaml"
    ),
    "change `listen` in site.yaml": "hãy sửa `listen` trong site.yaml",
    "another filterd serves from this folder; stop it, or name another with --state": (
        "một filterd khác đang dùng thư mục này; hãy dừng nó, hoặc ghi thư mục khác bằng --state"
    ),
    "filterd has too many commands to answer at the moment; try again": (
        "filterd đang nhận quá nhiều lệnh cùng lúc; hãy thử lại"
    ),
    "memory is short; what was in force stays": "thiếu bộ nhớ; chính sách cũ vẫn có hiệu lực",
    "a worker did not answer in time; see the log": (
        "một tiến trình của filterd không trả lời kịp; xem nhật ký"
    ),
    "a process of filterd cannot be told: {why}": (
        "không báo được cho một tiến trình của filterd: {why}"
    ),
    "it is in force, but not yet in every worker: {error}": (
        "đã có hiệu lực, nhưng chưa ở mọi tiến trình: {error}"
    ),
}
