# SPDX-License-Identifier: Apache-2.0
"""What is wrong with lists, indexes and files of the state folder, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # why a name cannot be in a list or service: ``filterd.lists.reject_reasons``
    "is not a host name": "không phải tên miền",
    "is not a valid internationalised name": "có chữ cái mà tên miền không có",
    "is an address; lists of filterd hold names": "là địa chỉ IP, không phải tên",
    "is a URL; cut down to its host it would block a whole site": (
        "là URL; cắt còn tên máy sẽ chặn cả trang"
    ),
    "is a regular expression; lists may not carry any": (
        "là biểu thức chính quy; danh sách không được có"
    ),
    "is a pattern that no name and subtree can express": "là mẫu không thể viết bằng tên miền",
    "is longer than a line, a name or a label may be": "quá dài",
    "has a modifier that DNS filtering cannot honour": "có tùy chọn mà bộ lọc DNS không thể theo",
    "asks for something other than to block or to except": (
        "yêu cầu việc khác, không phải chặn hay ngoại lệ"
    ),
    "is triggered by something other than the query name": "xét điều khác, không phải tên được hỏi",
    "hides elements of a page, which only a browser can do": (
        "ẩn một phần trang web, việc mà chỉ trình duyệt làm được"
    ),
    "maps a name to a real address": "gán tên cho một địa chỉ thật",
    "names the machine itself, as hosts files do; harmless": "là tên của chính máy; vô hại",
    "does not follow the format of the list": "không theo định dạng của danh sách",
    "has conditions that no line before has, and the list has too many of these already": (
        "có điều kiện riêng, mà danh sách đã có quá nhiều điều kiện"
    ),
    "is not UTF-8 text": "không phải UTF-8",
    "would hold for every name there is": "sẽ chặn mọi tên",
    "is a top-level domain or a local name, not a host": "chỉ có một nhãn, không phải tên miền",
    "is a suffix under which strangers register names": (
        "là đuôi công cộng, nhiều người khác cùng dùng"
    ),
    "is pinned: nothing may block it": "là tên được ghim: không ai được chặn",
    "is protected from lists of third parties; set aside": (
        "là tên được bảo vệ khỏi danh sách của bên thứ ba; để riêng"
    ),
    # the catalogue
    "'{word}' is no category": "không có nhóm '{word}'",
    "this name stands twice, or is a target": "tên này có hai lần, hoặc là một đích",
    "there is no file {file}": "không có tệp {file}",
    "this name stands twice": "tên này có hai lần",
    "this {key} stands twice": "{key} này có hai lần",
    "restore it": "hãy khôi phục tệp",
    "a name expected, not {value}": "cần một tên miền, không phải {value}",
    "name what belongs to the service alone": "chỉ ghi tên của riêng dịch vụ này",
    "'{value}' is no date": "'{value}' không phải ngày",
    "such as 2026-09-02": "ví dụ 2026-09-02",
    "'{value}' is no format": "không có định dạng '{value}'",
    "a file in this folder expected": "cần một tệp trong thư mục này",
    "such as starter/games.txt": "ví dụ starter/games.txt",
    "true, false or ordered": "true, false hoặc ordered",
    "write the name of a host, such as www.example.vn": "hãy viết tên miền, ví dụ www.example.vn",
    "'{value}' is no shape of a label": "'{value}' không phải khuôn của một nhãn",
    "such as i9bet#: letters and digits, # for a run of digits": (
        "ví dụ i9bet#: chữ cái và chữ số, # thay cho một dãy chữ số"
    ),
    "'{value}' is no suffix": "'{value}' không phải đuôi tên miền",
    "such as com or com.vn": "ví dụ com hoặc com.vn",
    "'{word}' has no suffixes": "'{word}' không có đuôi nào trong suffixes",
    "the holiday ends before it begins": "kỳ nghỉ kết thúc trước khi bắt đầu",
    "exchange first and last": "hãy đổi chỗ first và last",
    # compiling
    "{name_count} names are more than an index holds": (
        "{name_count} tên là quá nhiều đối với một chỉ mục"
    ),
    "{path}: a second list has the id {id}; give it another": (
        "{path}: danh sách thứ hai có mã {id}; hãy đặt mã khác"
    ),
    "{path}: format {format} is unknown; known: {known}": (
        "{path}: không có định dạng {format}; có: {known}"
    ),
    "{target}: cannot be written: {why}": "{target}: không ghi được: {why}",
    "another build is at work": "đang có lần biên dịch khác",
    "the lists cannot be compiled there: {why}": "không biên dịch được danh sách ở đó: {why}",
    "{index}: cannot be replaced: {why}": "{index}: không thay được: {why}",
    "the lists cannot be compiled: {why}": "không biên dịch được danh sách: {why}",
    "the lists took too long to compile; try `filterd lists build`": (
        "biên dịch danh sách mất quá lâu; hãy thử `filterd lists build`"
    ),
    # the index
    "{index}: {why}; compile the lists with `filterd lists build`": (
        "{index}: {why}; hãy biên dịch danh sách bằng `filterd lists build`"
    ),
    "{path}: is not an index of filterd; compile the lists": (
        "{path}: không phải chỉ mục của filterd; hãy biên dịch danh sách"
    ),
    "{path}: {error}; compile the lists again": "{path}: {error}; hãy biên dịch lại danh sách",
    "is not an index of filterd": "không phải chỉ mục của filterd",
    "can be read on little-endian machines only": "chỉ đọc được trên máy little-endian",
    "has a damaged header": "phần đầu bị hỏng",
    "has damaged contents ({error})": "phần mục lục bị hỏng ({error})",
    "has format version {version}, this filterd reads {known}": (
        "thuộc định dạng {version}, filterd này đọc định dạng {known}"
    ),
    "has {file_octets} octets instead of {stated_octets}": (
        "dài {file_octets} byte thay vì {stated_octets} byte"
    ),
    "states counts that no index has": "ghi những số lượng mà không chỉ mục nào có",
    "states sections that do not fill the file": "các phần không khớp với độ dài tệp",
    "states a wrong place for its {section}": "ghi sai vị trí của phần {section}",
    "is shorter than its header says": "ngắn hơn phần đầu của nó ghi",
    "has nothing after its blocks": "không có gì sau các khối",
    "the index has {count} names, not {name_count}": (
        "chỉ mục có {count} tên, không phải {name_count}"
    ),
    "the index has a damaged report ({error})": "báo cáo trong chỉ mục bị hỏng ({error})",
    "the index has a name out of order at rank {rank}": (
        "chỉ mục có tên sai thứ tự ở vị trí {rank}"
    ),
    "the index does not find its name at rank {rank}": (
        "chỉ mục không tìm thấy chính tên của nó ở vị trí {rank}"
    ),
    "the index is damaged: a claim set is not defined": "chỉ mục bị hỏng: thiếu một tập danh sách",
    "the index is damaged: a name does not end in its block": (
        "chỉ mục bị hỏng: một tên vượt ra ngoài khối"
    ),
    "the index is damaged: a name of block {number}": (
        "chỉ mục bị hỏng: một tên trong khối {number}"
    ),
    "the index is damaged: number of names in block {number}": (
        "chỉ mục bị hỏng: số tên trong khối {number}"
    ),
    "the index is damaged: block {number} has {count} names": (
        "chỉ mục bị hỏng: khối {number} có {count} tên"
    ),
    "the index is damaged: a slot for block {number}": (
        "chỉ mục bị hỏng: một ô trỏ đến khối {number}"
    ),
    "the index is damaged: a slot for rank {rank}": "chỉ mục bị hỏng: một ô trỏ đến vị trí {rank}",
    "the index is damaged where a name was looked up": "chỉ mục bị hỏng ở chỗ được tra",
    "the index is damaged: its lines cannot be read": (
        "chỉ mục bị hỏng: không đọc được số dòng của các mục"
    ),
    "the index is damaged: its digest does not match": "chỉ mục bị hỏng: mã kiểm tra không khớp",
    # files of the state folder
    "{folder}/ is missing beside the package; install filterd again": (
        "thiếu thư mục {folder}/ cạnh chương trình; hãy cài lại filterd"
    ),
    "{path}: cannot be read: {why}": "{path}: không đọc được: {why}",
    "{path}: cannot be written: {why}": "{path}: không ghi được: {why}",
    "{folder}: {wanted} MB must be free, and {there} MB are; make room on the disk": (
        "{folder}: cần {wanted} MB trống, mà chỉ còn {there} MB; hãy dọn bớt ổ đĩa"
    ),
    "{folder}: the disk does not take files, so the policy or the lists in force are in memory"
    " only; make room on it, or mend it": (
        "{folder}: ổ đĩa không ghi được, nên chính sách hoặc danh sách đang dùng chỉ nằm trong bộ"
        " nhớ; hãy dọn bớt hoặc sửa ổ đĩa"
    ),
    "{parent}: cannot be written: {why}": "{parent}: không ghi được: {why}",
    "{policy}: cannot be read: {why}": "{policy}: không đọc được: {why}",
    "{policy}: cannot be installed: {why}": "{policy}: không đưa vào áp dụng được: {why}",
    "{path}: is too large": "{path}: quá lớn",
    "{path}: this is no {title}; {remedy}": "{path}: không phải {title}; {remedy}",
    "{path}: written by another version of filterd; {remedy}": (
        "{path}: do phiên bản filterd khác ghi; {remedy}"
    ),
    "{path}: written by another filterd; {remedy}": "{path}: do filterd khác ghi; {remedy}",
    "{path}: damaged, its checksum is wrong; {remedy}": (
        "{path}: bị hỏng, mã kiểm tra không khớp; {remedy}"
    ),
    "{path}: cannot be read: {why}; {remedy}": "{path}: không đọc được: {why}; {remedy}",
    "compiled policy": "chính sách đã biên dịch",
    "compile it again": "hãy biên dịch lại",
    "copy of what commands have set": "bản sao của những gì được đặt bằng lệnh",
    "restart filterd, which writes it anew": "hãy khởi động lại filterd để ghi mới",
    "{path}: the log cannot be written: {why}": "{path}: không ghi được nhật ký: {why}",
    "{path}: the log cannot be read: {error}": "{path}: không đọc được nhật ký: {error}",
    # contacts
    "nobody knows how to reach {name}": "không biết liên hệ với {name} bằng cách nào",
    "write `phone`, `email` or `web`": "hãy ghi `phone`, `email` hoặc `web`",
}
