# SPDX-License-Identifier: Apache-2.0
"""Why a change by command cannot be made, and what is wrong with the history, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # what somebody asks for
    "'{key}' is missing": "thiếu '{key}'",
    "target": "đối tượng",
    "targets": "các đối tượng",
    "name": "tên",
    "names": "các tên",
    "services": "các dịch vụ",
    "macs": "địa chỉ MAC",
    "for whom": "dành cho",
    "number": "số",
    "the beginning": "lúc bắt đầu",
    "the end": "lúc kết thúc",
    "the length": "thời lượng",
    "a length of time in seconds expected, not {value}": (
        "cần thời lượng tính bằng giây, không phải {value}"
    ),
    "an end and a length exclude each other": "chỉ nêu một trong hai: lúc kết thúc hoặc thời lượng",
    "the time is not known, and that is past": "chưa biết giờ, và thời điểm đó đã qua",
    "say how long instead, such as --for 45m, or a later date": (
        "hãy nêu thời lượng, ví dụ --for 45m, hoặc một ngày muộn hơn"
    ),
    "the time is not known, and so is no lesson": "chưa biết giờ nên chưa biết đang là tiết nào",
    "say how long instead, such as --for 45m": "hãy nêu thời lượng, ví dụ --for 45m",
    "the clock is believed with `filterd clock accept`": (
        "nếu đồng hồ của máy đúng, hãy dùng `filterd clock accept`"
    ),
    "no clock can be right that shows this time": "giờ mà đồng hồ đang chỉ không thể là giờ đúng",
    "set the clock first: sudo timedatectl set-time '2026-12-01 07:30'": (
        "hãy chỉnh giờ trước: sudo timedatectl set-time '2026-12-01 07:30'"
    ),
    "the clock is believed already": "filterd đang tin đồng hồ của máy rồi",
    "unknown: {key}": "không hiểu: {key}",
    "{kind} is no kind of change": "không có loại thay đổi {kind}",
    "{lasting} things are set already": "đã đặt {lasting} mục",
    "revoke what is not needed any more": "hãy kết thúc những mục không còn cần",
    "{text} is no {called}": "không có {called} {text}",
    "'{word}' is no {called}": "trường này không có {called} '{word}'",
    "{number} is no {called} that is set": "không có {called} nào mang số {number}",
    "list them to see which are": "hãy liệt kê để xem có những số nào",
    "room": "phòng",
    "grade": "khối lớp",
    "tier": "cấp tuổi",
    "exam": "kỳ thi",
    "exception or setting": "ngoại lệ hoặc mục đã đặt",
    "kind of target": "loại đối tượng",
    "audience": "đối tượng áp dụng",
    "grade of this school": "khối lớp",
    "tier of this school": "cấp tuổi",
    "room or network": "phòng hoặc mạng",
    "there is none": "không có gì",
    "{text} is no identifier": "{text} không phải là mã",
    "lower-case letters, digits, hyphens": "mã gồm chữ thường không dấu, chữ số, dấu nối",
    "{text} is no MAC address": "{text} không phải địa chỉ MAC",
    "{text} is no address": "{text} không phải địa chỉ IP",
    "such as 192.168.10.23": "ví dụ 192.168.10.23",
    "{text} holds on one interface only": "{text} chỉ có nghĩa trên một cổng mạng",
    "leave out the '%'": "hãy bỏ phần '%'",
    "{text} is no name of a user": "{text} không phải tên người dùng",
    "{text} is too long": "{text} quá dài",
    "100 characters at most": "dài nhất 100 ký tự",
    "a list expected, not {value}": "cần một danh sách, không phải {value}",
    "a room and its devices expected, not {value}": (
        "cần một phòng và thiết bị của phòng, không phải {value}"
    ),
    "{count} are too many": "{count} là quá nhiều",
    "{most} at most": "nhiều nhất {most}",
    "a Unix time expected, not {value}": "cần thời điểm Unix, không phải {value}",
    "{value} is beyond every calendar": "{value} vượt ra ngoài mọi lịch",
    "{value} is no number of a change": "{value} không phải số của một thay đổi",
    "{value} is no target": "{value} không phải là đối tượng",
    "{value} is no entry of a list": "{value} không phải là mục của danh sách",
    "true or false expected, not {value}": "cần true hoặc false, không phải {value}",
    "what is for everybody is not for {value}": "đã dành cho mọi người thì không dành cho {value}",
    "a reason is missing": "thiếu lý do",
    "say why, for those who come after you": "hãy ghi vì sao, để người sau còn biết",
    "the reason has {count} characters": "lý do dài {count} ký tự",
    "it may have {most} at most": "dài nhất {most}",
    "{called} has the character U+{code}": "{called} có ký tự U+{code}",
    "the reason": "lý do",
    "the name of the user": "tên người dùng",
    "it": "mục này",
    "write it on one line, in plain letters": "hãy viết trên một dòng, bằng chữ bình thường",
    # whether it fits the school
    "{target} {reason}": "{target} {reason}",
    "is closed by a legal order": "bị đóng theo yêu cầu của cơ quan có thẩm quyền",
    "nobody at a school can open it": "không ai ở trường mở được",
    "is locked for everybody": "bị khóa đối với mọi người",
    "if a list names something by mistake: filterd allow entry:NAME, for 14 days at most": (
        "nếu danh sách ghi nhầm: filterd allow entry:TÊN, nhiều nhất 14 ngày"
    ),
    "is kept closed by the school": "được trường giữ luôn đóng",
    "see `keep_closed` in site.yaml": "hãy xem `keep_closed` trong site.yaml",
    "is no entry of a list from elsewhere": "không phải là mục của danh sách bên ngoài",
    "`filterd check` shows which name a list has; a name of your own needs no `entry:`": (
        "`filterd check` cho biết danh sách ghi tên nào; tên của riêng trường không cần `entry:`"
    ),
    "can be suspended for everybody only": "chỉ có thể tạm dừng cho mọi người",
    "leave out for whom": "đừng ghi dành cho ai",
    "concerns nobody here": "không liên quan đến ai ở đây",
    "see `filterd policy show`": "hãy xem `filterd policy show`",
    "the entry of a list is suspended for everybody": (
        "mục của danh sách chỉ tạm dừng cho mọi người"
    ),
    "to block it, or to allow it to some, name it without 'entry:'": (
        "để chặn, hoặc chỉ mở cho một số người, hãy ghi tên không có 'entry:'"
    ),
    "the entry of a list is suspended for 14 days at most": (
        "mục của danh sách chỉ tạm dừng nhiều nhất 14 ngày"
    ),
    "report it as a mistake of the list, and suspend it again if need be": (
        "hãy báo lỗi của danh sách, và tạm dừng lại nếu còn cần"
    ),
    "a grade is set for a category or a service": "khối lớp chỉ đặt được cho nhóm hoặc dịch vụ",
    "a name is allowed or blocked by an exception": "một tên được mở hoặc chặn bằng ngoại lệ",
    "{id} is an exam": "{id} là một kỳ thi",
    "an exam is stopped, not revoked": "kỳ thi phải dừng bằng `filterd exam stop`",
    "it ends before it begins": "kết thúc trước khi bắt đầu",
    "an exam is not longer than {hours} hours": "kỳ thi không dài quá {hours} giờ",
    "for 90 minutes write --for 90m": "nếu là 90 phút, hãy viết --for 90m",
    "its end is past": "thời điểm kết thúc đã qua",
    "name a later end": "hãy ghi lúc kết thúc muộn hơn",
    "{number} has ended already": "{number} đã kết thúc",
    "{mac} stands in the room {room}": "{mac} thuộc phòng {room}",
    "take it out there first": "hãy bỏ khỏi phòng đó trước",
    "the room {room} stands there twice": "phòng {room} có hai lần",
    "the room {room} has the exam {id} then": "lúc đó phòng {room} có kỳ thi {id}",
    "stop that one first, or name another time": "hãy dừng kỳ thi đó trước, hoặc chọn lúc khác",
    "an end and the end of the lesson exclude each other": (
        "không thể vừa ghi lúc kết thúc vừa lấy hết tiết"
    ),
    "there is no lesson at that time": "lúc đó không có tiết học nào",
    "say until when": "hãy ghi đến lúc nào",
    "the next one is {next}, at {time}; else say --for 45m": (
        "tiết kế tiếp là {next}, lúc {time}; nếu không, hãy ghi --for 45m"
    ),
    "a trial is begun with `filterd exam learn`": "bắt đầu thi thử bằng `filterd exam learn`",
    "change {number} is recorded, but not in force everywhere yet: {error}": (
        "thay đổi {number} đã được ghi, nhưng chưa có hiệu lực ở mọi nơi: {error}"
    ),
    "what was set then is not known: the history of then was damaged": (
        "không biết lúc đó đã đặt những gì: lịch sử khi ấy bị hỏng"
    ),
    # who may
    "administrators may: root, and the group {admins}": (
        "chỉ quản trị viên được phép: root và nhóm người dùng {admins}"
    ),
    "teachers and administrators may: the groups {teachers} and {admins}": (
        "chỉ giáo viên và quản trị viên được phép: nhóm người dùng {teachers} và {admins}"
    ),
    "{name} may not {to_do}; {who}": "{name} không được {to_do}; {who}",
    "change anything": "thay đổi gì",
    "change that": "thay đổi điều này",
    "reload": "nạp lại cấu hình",
    "say which devices stand in a room": "đặt thiết bị cho một phòng",
    "listen to what a room asks for": "theo dõi những gì một phòng hỏi",
    "suspend an entry of a list": "tạm dừng mục của danh sách",
    "take back what somebody else has set": "hoàn tác những gì người khác đã đặt",
    "give a grade to {room}, which is no room": "đặt khối lớp cho {room}, vì đó không phải phòng",
    "hold an exam in {room}, which is no room": "tổ chức thi ở {room}, vì đó không phải phòng",
    "listen to {room}, which is no room": "theo dõi {room}, vì đó không phải phòng",
    "stop an exam that somebody else has set": "kết thúc kỳ thi mà người khác đã đặt",
    "a teacher's exception is for one room, grade, network or device": (
        "ngoại lệ của giáo viên chỉ dành cho một phòng, khối lớp, mạng hoặc thiết bị"
    ),
    "what a teacher sets ends the same day": "những gì giáo viên đặt phải hết trong ngày",
    "--for 45m, --lesson or --until 17:00": "--for 45m, --lesson hoặc --until 17:00",
    "--room": "--room",
    "{write}; more than that {who}": "{write}; hơn thế thì {who}",
    # taking back
    "there is no change of {author} to take back": "{author} không có thay đổi nào để hoàn tác",
    "`filterd history list` shows all; `filterd undo NUMBER` takes any back": (
        "`filterd history list` cho biết mọi thay đổi; `filterd undo SỐ` hoàn tác một thay đổi"
        " bất kỳ"
    ),
    "there is no change {number} to take back": "không có thay đổi {number} để hoàn tác",
    "the history shows which there are": "`filterd history list` cho biết có những thay đổi nào",
    "change {number} has changed nothing": "thay đổi {number} không làm gì",
    "what change {number} was about has ended already": (
        "những gì thay đổi {number} đặt đã kết thúc"
    ),
    "change {number} has been taken back already, by {by}": (
        "thay đổi {number} đã được hoàn tác, bởi thay đổi {by}"
    ),
    "to have it again, undo change {by}": "để có lại, hãy hoàn tác thay đổi {by}",
    "change {by} has replaced what change {number} set": (
        "thay đổi {by} đã thay những gì thay đổi {number} đặt"
    ),
    "undo change {by} first": "hãy hoàn tác thay đổi {by} trước",
    # the store and its history
    "another command is changing what is set; try again": (
        "một lệnh khác đang thay đổi; hãy thử lại"
    ),
    "{path}: damaged ({problem}); restart filterd, which sets it aside": (
        "{path}: bị hỏng ({problem}); hãy khởi động lại filterd để tệp được để riêng"
    ),
    "{path}: is a link, which is not followed; put the file in its place": (
        "{path}: là liên kết, không được đi theo; hãy đặt tệp thật vào đó"
    ),
    "nothing can be changed: {error}": "không thay đổi được gì: {error}",
    "{path}: this history was altered, and it was set aside; find out who did it, then move the"
    " file away": (
        "{path}: lịch sử này đã bị sửa, nên tệp được để riêng; hãy tìm xem ai đã sửa, rồi chuyển"
        " tệp đi nơi khác"
    ),
    "{path}: this history was damaged, and it was set aside; move the file away once nobody wants"
    " to look at it": (
        "{path}: lịch sử này bị hỏng, nên tệp được để riêng; hãy chuyển tệp đi nơi khác khi không"
        " ai cần xem nữa"
    ),
    "{path}: what commands had set was lost, or a part of it: look at `filterd exceptions list`,"
    " set again what is missing, then move the file away": (
        "{path}: đã mất toàn bộ hoặc một phần những gì đặt bằng lệnh; hãy xem"
        " `filterd exceptions list`, đặt lại những gì còn thiếu, rồi chuyển tệp này đi nơi khác"
    ),
    "{path}: what commands had set cannot be read, and no copy of it is left: it is not in force;"
    " mend the disk and restart filterd, or set it again": (
        "{path}: không đọc được những gì đã đặt bằng lệnh và không còn bản sao nào, nên chúng không"
        " có hiệu lực; hãy sửa ổ đĩa rồi khởi động lại filterd, hoặc đặt lại từ đầu"
    ),
    "it is gone, and no copy of it is left": "tệp đã mất và không còn bản sao nào",
    "{path}: cannot be set aside: {why}": "{path}: không để riêng được: {why}",
    "{path}: cannot be set aside: too many are there": (
        "{path}: không để riêng được: đã có quá nhiều tệp như vậy"
    ),
    "{path}: cannot be removed: {why}": "{path}: không xóa được: {why}",
    "{path}: cannot be {done}: {error}{hint}": "{path}: không {done} được: {error}{hint}",
    "written": "ghi",
    "read": "đọc",
    " (is there a disk that can be written?)": " (ổ đĩa có ghi được không?)",
    "this is no store of filterd": "đây không phải tệp của filterd",
    "{path}: written by a newer filterd (version {version}, this one knows {known}); install that"
    " one, or move the file away": (
        "{path}: do filterd mới hơn ghi (phiên bản {version}, bản này biết {known}); hãy cài bản"
        " đó, hoặc chuyển tệp đi nơi khác"
    ),
    "the policy {digest} is not kept; see `filterd policy history`": (
        "chính sách {digest} không còn được giữ; hãy xem `filterd policy history`"
    ),
    "it has been altered": "đã bị sửa",
    "rows before it are missing": "thiếu các dòng trước đó",
    "the row before it is another": "dòng trước đó là dòng khác",
    "it cannot be read": "không đọc được",
    "it takes away what was not there": "bỏ đi thứ không có",
    "it makes what was there already": "tạo ra thứ đã có",
    "change {number}: {problem}": "thay đổi {number}: {problem}",
    "changes up to {number} were made, and its last is {last}": (
        "đã có thay đổi đến số {number}, mà số cuối ở đây là {last}"
    ),
    "change {number} is another than the one that was made": (
        "thay đổi {number} không phải là thay đổi đã được thực hiện"
    ),
    "this is no report": "đây không phải báo cáo",
    "a line is one object in JSON": "mỗi dòng là một đối tượng JSON",
}
