# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the files of a site, in Vietnamese.

Keys and words of the files (``first``, ``keep_closed``) stay as they are written there.
"""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # a file that is read
    "cannot be read: {why}": "không đọc được: {why}",
    "the file is larger than 1 MiB": "tệp lớn hơn 1 MiB",
    "split it up": "hãy chia nhỏ tệp",
    "the character U+{code}": "ký tự U+{code}",
    "an octet that is not UTF-8": "byte không phải UTF-8",
    "{what} cannot stand in a YAML file": "tệp YAML không được có {what}",
    "save the file as UTF-8 text": "hãy lưu tệp ở dạng UTF-8",
    "this is no YAML": "đây không phải YAML",
    "check indentation, quotes and brackets around this place": (
        "kiểm tra thụt lề, dấu nháy và dấu ngoặc quanh chỗ này"
    ),
    "indent with spaces, never with tabs": "thụt lề bằng dấu cách, không dùng tab",
    "text that holds ': ' goes in quotes; check the indentation": (
        "chữ có ': ' phải đặt trong dấu nháy; kiểm tra thụt lề"
    ),
    "a YAML directive is not allowed": "không được có chỉ thị YAML",
    "remove the line with '%'": "hãy bỏ dòng có '%'",
    "a second document begins": "tài liệu thứ hai bắt đầu ở đây",
    "keep one document a file": "mỗi tệp chỉ có một tài liệu",
    "the file has more than {most} values": "tệp có hơn {most} giá trị",
    "anchors and aliases are off": "không được dùng '&' và '*' để lặp lại giá trị",
    "write the value out again": "hãy viết lại giá trị",
    "the tag {tag} is not allowed": "không được có nhãn {tag}",
    "remove it": "hãy bỏ đi",
    "nested more than {most} deep": "lồng nhau quá {most} cấp",
    "flatten it": "hãy bớt số cấp",
    "a key must be plain text": "khóa phải là chữ thường",
    "the number has too many digits": "số có quá nhiều chữ số",
    "text goes in quotes": "nếu là chữ, hãy đặt trong dấu nháy",
    "the character U+{code} is not allowed": "không được có ký tự U+{code}",
    "the key '{key}' stands twice": "khóa '{key}' có hai lần",
    "first in line {line}": "lần đầu ở dòng {line}",
    # a value of a file
    "unknown key '{key}'": "không có khóa '{key}'",
    "the key '{key}' is missing": "thiếu khóa '{key}'",
    "add '{key}: ...'": "hãy thêm '{key}: ...'",
    "{expected} expected, not {found}": "cần {expected}, không phải {found}",
    "text": "chữ",
    "a whole number": "số nguyên",
    "a number": "số",
    "true or false": "true hoặc false",
    "a list": "một danh sách",
    "a mapping of keys": "các cặp `khóa: giá trị`",
    "nothing": "chỗ trống",
    "put it in quotes": "hãy đặt trong dấu nháy",
    "'{value}' is not known": "không có '{value}'",
    "did you mean '{word}'?": "có phải là '{word}' không?",
    "known: {known}": "có: {known}",
    "it needs {limit} or more": "cần ít nhất {limit}",
    "it may have {limit} at most": "nhiều nhất là {limit}",
    "it needs {limit} characters or more": "cần ít nhất {limit} ký tự",
    "it may have {limit} characters at most": "dài nhất {limit} ký tự",
    "it must be {limit} or more": "phải từ {limit} trở lên",
    "it must be {limit} or less": "không được quá {limit}",
    "'{value}' does not have the right form": "'{value}' không đúng dạng",
    "it must match {pattern}": "phải khớp với {pattern}",
    "text expected, not {value}": "cần chữ, không phải {value}",
    "category": "nhóm",
    "service": "dịch vụ",
    "list": "danh sách",
    "format": "định dạng",
    "'{word}' is no {kind}": "không có {kind} '{word}'",
    "'{target}' is no {kind}": "không có {kind} '{target}'",
    "'{wanted}' is no {word}": "không có {word} '{wanted}'",
    "'{group}' is no category": "không có nhóm '{group}'",
    # names, addresses, times
    "'{text}' is an address of a page": "'{text}' là địa chỉ của một trang",
    "write only the name of the host": "chỉ viết tên miền",
    "a name needs no '*.'": "tên không cần '*.'",
    "write '{name}': a name stands for everything beneath it too": (
        "hãy viết '{name}': một tên gồm cả mọi tên con của nó"
    ),
    "'{text}' is no domain name: {reason}": "'{text}' không phải tên miền: {reason}",
    "anyone registers names beneath '{name}': all of them would open": (
        "ai cũng đăng ký được tên miền dưới '{name}': tất cả sẽ được mở"
    ),
    "anyone registers names beneath '{name}': all of them would close": (
        "ai cũng đăng ký được tên miền dưới '{name}': tất cả sẽ bị chặn"
    ),
    "write one of these names, or '*.{name}' if all of them are meant": (
        "hãy ghi một tên cụ thể, hoặc '*.{name}' nếu muốn tất cả"
    ),
    "the root is every name there is": "tên gốc là mọi tên",
    "name one zone or host": "hãy ghi một vùng hoặc một máy",
    "'{text}' is no IP address": "'{text}' không phải địa chỉ IP",
    "such as 192.168.1.1 or fd00::1": "ví dụ 192.168.1.1 hoặc fd00::1",
    "'{text}' is an IPv6 address": "'{text}' là địa chỉ IPv6",
    "an IPv4 address belongs here": "ở đây cần địa chỉ IPv4",
    "'{text}' is an IPv4 address": "'{text}' là địa chỉ IPv4",
    "an IPv6 address belongs here": "ở đây cần địa chỉ IPv6",
    "'{text}' is no network": "'{text}' không phải dải địa chỉ",
    "such as 192.168.10.0/24": "ví dụ 192.168.10.0/24",
    "'{text}' has bits beyond its prefix": "'{text}' có phần thừa sau độ dài tiền tố",
    "did you mean '{network}'?": "có phải là '{network}' không?",
    "'{text}' is no MAC address": "'{text}' không phải địa chỉ MAC",
    "such as 02:00:5e:10:00:01": "ví dụ 02:00:5e:10:00:01",
    "{port} is no port": "{port} không phải số cổng",
    "1 to 65535": "từ 1 đến 65535",
    "'{text}' is no time": "'{text}' không phải thời điểm",
    "such as 2026-09-05 or 2026-09-05T07:00": "ví dụ 2026-09-05 hoặc 2026-09-05T07:00",
    "'{text}' is no time zone": "không có múi giờ '{text}'",
    "such as Asia/Ho_Chi_Minh": "ví dụ Asia/Ho_Chi_Minh",
    "install tzdata": "hãy cài gói tzdata",
    "'{text}' is no grade": "không có khối lớp '{text}'",
    "'{text}' is no tier": "không có cấp tuổi '{text}'",
    # networks, upstreams, zones
    "nothing tells this network": "không có gì để nhận ra mạng này",
    "give it cidrs, interfaces or macs": "hãy thêm cidrs, interfaces hoặc macs",
    "there is no timetable that could hold on holidays": (
        "không có thời khóa biểu nào để áp dụng trong ngày nghỉ"
    ),
    "remove on_holidays, or give it a timetable": (
        "hãy bỏ on_holidays, hoặc thêm thời khóa biểu (timetable)"
    ),
    "a client has one grade": "mỗi máy chỉ có một khối lớp",
    "'{value}' belongs to the network '{network}' already": "'{value}' đã thuộc mạng '{network}'",
    "'{cidr}' is on every link: it tells nobody from anybody": (
        "mạng nào cũng có '{cidr}': không phân biệt được ai"
    ),
    "name interfaces or macs for devices with link-local addresses": (
        "với thiết bị có địa chỉ link-local, hãy ghi interfaces hoặc macs"
    ),
    "'{network}' is no network of this site": "trường này không có mạng '{network}'",
    "a name is checked by TLS only": "chỉ TLS mới kiểm tra tên",
    "add tls: strict": "hãy thêm tls: strict",
    "nobody knows the names of the system's servers": (
        "không ai biết tên các máy chủ DNS của hệ thống"
    ),
    "give an address": "hãy ghi một địa chỉ",
    "filterd would ask itself at {address}, port {port}": (
        "filterd sẽ tự hỏi chính mình ở {address}, cổng {port}"
    ),
    "name another resolver, or system": "hãy ghi máy chủ DNS khác, hoặc system",
    "the zone '{zone}' {reason}": "vùng '{zone}' {reason}",
    "stands twice": "có hai lần",
    "put both together": "hãy gộp hai chỗ lại",
    "lies within another local zone": "nằm trong một vùng riêng khác",
    "put its records there": "hãy đặt các bản ghi vào vùng đó",
    "belongs to the servers of a delegated zone": "thuộc về máy chủ của một vùng được ủy quyền",
    "holds a pinned name": "chứa một tên được ghim",
    "is a public suffix: others have names in it": "là đuôi công cộng: người khác có tên trong đó",
    "is a domain of the Internet, and devices could become www in it": (
        "là tên miền trên Internet, và một thiết bị có thể tự nhận là www ở đó"
    ),
    "such as lan.home.arpa, or lan. before the school's own domain": (
        "ví dụ lan.home.arpa, hoặc lan. trước tên miền của trường"
    ),
    "such as: printer A 192.168.1.20": "ví dụ: printer A 192.168.1.20",
    "the owner is not in this zone": "tên của bản ghi không thuộc vùng này",
    "the type and the data are missing": "thiếu loại và dữ liệu",
    "the line is empty": "dòng trống",
    "directives such as $ORIGIN are not read here": "ở đây không đọc chỉ thị như $ORIGIN",
    "'{text}' is no type that a local zone can have; {hint}": (
        "vùng riêng không thể có loại '{text}'; {hint}"
    ),
    "'{text}' is no number from 0 to 65535": "'{text}' không phải số từ 0 đến 65535",
    "a text has more than 255 octets; cut it in two": "có đoạn chữ dài hơn 255 byte; hãy chia đôi",
    "this is no data of type {type}": "đây không phải dữ liệu loại {type}",
    "the quotes or line breaks are wrong": "dấu nháy hoặc chỗ xuống dòng không đúng",
    "'{text}' is no name: {reason}": "'{text}' không phải tên: {reason}",
    "a name with a CNAME can have no other record": (
        "tên đã có CNAME thì không thể có bản ghi khác"
    ),
    "a CNAME must lead to a name in a local zone": "CNAME phải dẫn đến tên trong một vùng riêng",
    # lists and services of the site
    "another list has this id": "danh sách khác đã có mã này",
    "choose another": "hãy chọn mã khác",
    "'{file}' cannot be a file": "'{file}' không thể là tệp",
    "'{file}' is outside the folder of site.yaml": "'{file}' ở ngoài thư mục của site.yaml",
    "there is no file '{file}'": "không có tệp '{file}'",
    "check the name": "hãy kiểm tra tên",
    "put the list beside site.yaml": "hãy đặt danh sách cạnh site.yaml",
    "'{service}' is a service of the catalogue already": "'{service}' đã là dịch vụ có sẵn",
    "choose another id": "hãy chọn mã khác",
    "'{group}' is for what the authorities order": (
        "'{group}' dành cho những gì cơ quan có thẩm quyền yêu cầu"
    ),
    "choose another category": "hãy chọn nhóm khác",
    "'{target}' is locked: it is closed to everybody": "'{target}' bị khóa đối với mọi người",
    "'{target}' is kept closed by the school": "trường giữ '{target}' luôn đóng",
    "'{wanted}' is blocked and allowed at once": "'{wanted}' vừa bị chặn vừa được mở",
    "keep one of the two": "hãy giữ một trong hai",
    # tiers
    "the file is about the tier '{tier}'": "tệp này nói về cấp tuổi '{tier}'",
    "a file named {name} says tier: {tier}": "tệp tên {name} phải ghi tier: {tier}",
    "the tier '{tier}' inherits from itself": "cấp tuổi '{tier}' kế thừa chính nó",
    "break the circle": "hãy bỏ vòng kế thừa",
    # the week
    "'{id}' begins before '{earlier}' ends": "'{id}' bắt đầu trước khi '{earlier}' kết thúc",
    "'{id}' ends at {time}": "'{id}' kết thúc lúc {time}",
    "'{day}' and '{first}' are the same day": "'{day}' và '{first}' là cùng một ngày",
    "'{lesson}' is no lesson of this site": "trường này không có tiết '{lesson}'",
    "name it under lessons": "hãy khai báo tiết trong lessons",
    "'{network_id}' has nobody in {lessons} of {day}": (
        "'{network_id}' không có lớp nào trong {lessons}, ngày {day}"
    ),
    "then it has the strictest grade of its timetable": (
        "khi đó phòng theo khối lớp chặt nhất trong thời khóa biểu"
    ),
    "'{text}' is no day of the week": "'{text}' không phải ngày trong tuần",
    "'{value}' is no time of day": "'{value}' không phải giờ trong ngày",
    "such as 07:00 or 16:30": "ví dụ 07:00 hoặc 16:30",
    "'{value}' is no part of a day": "'{value}' không phải khoảng giờ trong ngày",
    "such as 07:00-07:45": "ví dụ 07:00-07:45",
    "the lesson ends before it begins": "tiết học kết thúc trước khi bắt đầu",
    "24:00 is the end of a day": "24:00 là lúc hết ngày",
    "begin the next day at 00:00": "hãy bắt đầu từ 00:00 ngày hôm sau",
    "it never opens: it begins when it ends": "không bao giờ mở: bắt đầu đúng lúc kết thúc",
    "a whole day is from 00:00 to 24:00": "cả ngày là từ 00:00 đến 24:00",
    "it never opens: it ends before it begins": "không bao giờ mở: kết thúc trước khi bắt đầu",
    "it never opens: no day fits days, first, last and holidays": (
        "không bao giờ mở: không ngày nào hợp với days, first, last và holidays"
    ),
    "leave one of them out": "hãy bỏ bớt một điều kiện",
    "it is about one thing": "mỗi mục chỉ nói về một thứ",
    "category:, service:, list: or tier:": "category:, service:, list: hoặc tier:",
    "it opens one thing or closes one": "mỗi mục chỉ mở hoặc đóng một thứ",
    "write open: or close:": "hãy viết open: hoặc close:",
    "this stands twice": "mục này có hai lần",
    "'{target}' would be open and closed at once": "'{target}' sẽ vừa mở vừa đóng",
    "line {line} says the other for a part of that time": (
        "dòng {line} nói ngược lại cho một phần thời gian đó"
    ),
    "the schedule '{schedule}' opens and closes nothing": (
        "lịch '{schedule}' không mở và không đóng gì"
    ),
    "its last day is past: it never opens": "ngày cuối đã qua: khung giờ này không mở nữa",
    "the exception has ended": "ngoại lệ này đã hết hạn",
    "remove it, or name a later day": "hãy bỏ mục này, hoặc ghi ngày muộn hơn",
    "say under scheduled what it does": "hãy ghi trong scheduled lịch này làm gì",
    "'{schedule}' is no schedule of this site": "trường này không có lịch '{schedule}'",
    "name it under schedules": "hãy khai báo lịch trong schedules",
    "nobody of '{target}' is meant by for": "for không nhắm đến ai thuộc '{target}'",
    "remove for": "hãy bỏ for",
    # exceptions and expectations
    "an exception allows one name or blocks one": "mỗi ngoại lệ mở một tên hoặc chặn một tên",
    "write allow: or block:": "hãy viết allow: hoặc block:",
    "the exception ends before it begins": "ngoại lệ kết thúc trước khi bắt đầu",
    "exchange from and until": "hãy đổi chỗ from và until",
    "it is for one audience": "mỗi mục chỉ dành cho một đối tượng",
    "write one entry for each": "hãy viết mỗi đối tượng một mục",
    "'{value}' is nobody": "'{value}' không phải đối tượng nào",
    "everybody, or {grade: 6}, {network: library}, ...": (
        "everybody, hoặc {grade: 6}, {network: library}, ..."
    ),
    "a list of expectations belongs here": "ở đây cần một danh sách mong đợi",
    "such as: www.tiktok.com is blocked for primary": (
        "ví dụ: www.tiktok.com is blocked for primary"
    ),
    "'{data}' is no expectation": "'{data}' không phải một mong đợi",
    "an expectation is for one audience": "mỗi mong đợi chỉ dành cho một đối tượng",
    "write one for each": "hãy viết mỗi đối tượng một mong đợi",
    "'{text}' is nobody": "'{text}' không phải đối tượng nào",
    "there is no network '{whom}'": "không có mạng '{whom}'",
    "'{word}' is no weekday": "'{word}' không phải thứ trong tuần",
    "such as t2 08:00 or 2026-09-07T08:00": "ví dụ t2 08:00 hoặc 2026-09-07T08:00",
    "expected: {written}; but it {came} for {grades}{why}": (
        "mong đợi: {written}; nhưng tên này {came} đối với {grades}{why}"
    ),
    "passes": "được phép",
    "is blocked": "bị chặn",
    "mend the policy, or what is expected of it": "hãy sửa chính sách, hoặc sửa mong đợi",
    "an exception of the site: it holds": "ngoại lệ của trường: được áp dụng",
    "{reason}: the exception has no effect": "{reason}: ngoại lệ này không có tác dụng",
    "expected: {written}; the site's files let it pass for {grades}: it is blocked": (
        "mong đợi: {written}; tệp của trường cho phép tên này đối với {grades}: tên bị chặn"
    ),
    "mend the policy, name it under exceptions with the reason, or strike the line out of a copy"
    " of the file in the site's expectations/": (
        "hãy sửa chính sách, ghi tên vào exceptions kèm lý do, hoặc xóa dòng này trong bản sao của"
        " tệp ở expectations/ của trường"
    ),
    # compiling the site
    "compiling the site took more than {limit_s} s": "biên dịch cấu hình mất hơn {limit_s} giây",
    "make the files smaller": "hãy làm các tệp nhỏ lại",
    "exit status {status}": "mã kết thúc {status}",
    "compiling the site failed: {why}": "không biên dịch được cấu hình: {why}",
    "are the files very large, or memory short?": "các tệp có quá lớn, hay máy thiếu bộ nhớ?",
    "{executable}: cannot be started: {why}": "{executable}: không khởi động được: {why}",
}
