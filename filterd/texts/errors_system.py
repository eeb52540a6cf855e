# SPDX-License-Identifier: Apache-2.0
"""What others say, in Vietnamese: the operating system, SQLite, the reader of YAML.

Each is known as a whole text, as ``filterd.sentences.quoted`` takes it.
"""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "file of the last known time": "tệp ghi giờ biết chắc lần cuối",
    "filterd writes it anew": "filterd sẽ tự ghi lại",
    "state file of filterd": "tệp trạng thái của filterd",
    # strerror of the C library
    "Operation not permitted": "hệ điều hành không cho phép",
    "No such file or directory": "không có tệp hoặc thư mục này",
    "Input/output error": "ổ đĩa bị lỗi khi đọc hoặc ghi",
    "No such device or address": "không có thiết bị hoặc địa chỉ này",
    "Argument list too long": "quá nhiều tham số",
    "Resource temporarily unavailable": "tạm thời không đáp ứng được",
    "Cannot allocate memory": "không đủ bộ nhớ",
    "Permission denied": "không có quyền truy cập",
    "Device or resource busy": "thiết bị đang được dùng",
    "File exists": "tệp đã có",
    "Invalid cross-device link": "hai nơi ở trên hai ổ đĩa khác nhau",
    "No such device": "không có thiết bị này",
    "Not a directory": "không phải là thư mục",
    "Is a directory": "là thư mục, không phải tệp",
    "Invalid argument": "giá trị không hợp lệ",
    "Too many open files in system": "hệ thống đang mở quá nhiều tệp",
    "Too many open files": "đang mở quá nhiều tệp",
    "Text file busy": "tệp đang được chạy",
    "File too large": "tệp quá lớn",
    "No space left on device": "ổ đĩa đã đầy",
    "Read-only file system": "ổ đĩa chỉ cho đọc",
    "Broken pipe": "bên kia đã ngắt kết nối",
    "File name too long": "tên tệp quá dài",
    "Directory not empty": "thư mục không trống",
    "Too many levels of symbolic links": "là liên kết, không được đi theo",
    "Address already in use": "địa chỉ này đang có máy chủ khác dùng",
    "Cannot assign requested address": "máy này không có địa chỉ đó",
    "Network is unreachable": "không có đường đến mạng đó",
    "Connection reset by peer": "bên kia đã ngắt kết nối",
    "Connection refused": "không ai trả lời ở đó",
    "Connection timed out": "chờ quá lâu mà không có trả lời",
    "No route to host": "không có đường đến máy đó",
    "Disk quota exceeded": "đã dùng hết dung lượng được cấp",
    "Not a plain file": "không phải là tệp thường",
    "AF_UNIX path too long": "đường dẫn quá dài đối với một socket",
    "timed out": "chờ quá lâu mà không có trả lời",
    # SQLite
    "database is locked": "chương trình khác đang giữ tệp này",
    "attempt to write a readonly database": "tệp chỉ cho đọc",
    "disk I/O error": "ổ đĩa bị lỗi khi đọc hoặc ghi",
    "database or disk is full": "ổ đĩa đã đầy",
    "unable to open database file": "không mở được tệp",
    "file is not a database": "không phải là cơ sở dữ liệu",
    "database disk image is malformed": "nội dung tệp đã hỏng",
    # gzip
    "Compressed file ended before the end-of-stream marker was reached": "tệp nén bị cắt cụt",
    # libyaml and PyYAML
    "mapping values are not allowed in this context": "không thể có `khóa: giá trị` ở đây",
    "mapping values are not allowed here": "không thể có `khóa: giá trị` ở đây",
    "mapping keys are not allowed in this context": "không thể có khóa ở đây",
    "block sequence entries are not allowed in this context": "không thể có mục `- ` ở đây",
    "sequence entries are not allowed here": "không thể có mục `- ` ở đây",
    "could not find expected ':'": "thiếu dấu ':'",
    "did not find expected key": "thiếu một khóa ở đây",
    "did not find expected '-' indicator": "thiếu dấu '-' ở đầu mục",
    "did not find expected ',' or ']'": "thiếu dấu ',' hoặc ']'",
    "did not find expected ',' or '}'": "thiếu dấu ',' hoặc '}'",
    "did not find expected node content": "thiếu nội dung ở đây",
    "did not find expected <document start>": "thiếu '---' ở đầu tài liệu",
    "did not find expected comment or line break": "thiếu xuống dòng ở đây",
    "did not find expected whitespace or line break": "thiếu dấu cách hoặc xuống dòng ở đây",
    "did not find expected alphabetic or numeric character": "thiếu chữ cái hoặc chữ số ở đây",
    "did not find expected hexdecimal number": "thiếu số thập lục phân sau '\\'",
    "did not find expected digit or indentation indicator": "thiếu số chỉ độ thụt lề",
    "found character that cannot start any token": "có ký tự không thể đứng đầu ở đây",
    "found a tab character that violates indentation": "có dấu tab ở chỗ thụt lề",
    "found a tab character where an indentation space is expected": "có dấu tab ở chỗ thụt lề",
    "found unexpected end of stream": "tệp kết thúc giữa chừng",
    "found unexpected document indicator": "có '---' hoặc '...' giữa chừng",
    "found unexpected ':'": "có dấu ':' không đúng chỗ",
    "found unknown escape character": "có ký tự lạ sau '\\'",
    "found invalid Unicode character escape code": "có mã Unicode không hợp lệ sau '\\'",
    "found undefined tag handle": "có nhãn '!' không được định nghĩa",
    "found duplicate anchor": "có hai dấu '&' cùng tên",
    "found undefined alias": "có dấu '*' trỏ đến tên không có",
    "found extra document": "có tài liệu thứ hai",
    # names, as filterd.wire reads them from text
    "the name has {count} octets, more than 255": "tên dài {count} byte, quá 255 byte",
    "a label has {count} octets, not 1 to 63": (
        "một nhãn của tên dài {count} byte, phải từ 1 đến 63 byte"
    ),
    "it has {count} characters": "tên dài {count} ký tự",
    "a character that is not visible ASCII": "có ký tự không phải ASCII nhìn thấy được",
    "a backslash before neither a character nor three digits": (
        "sau '\\' phải là một ký tự hoặc ba chữ số"
    ),
    "{escaped} is more than an octet holds": "{escaped} lớn hơn 255",
    "{text} is no record type; write AAAA, TYPE28 or 28": (
        "không có loại bản ghi {text}; hãy viết AAAA, TYPE28 hoặc 28"
    ),
}
