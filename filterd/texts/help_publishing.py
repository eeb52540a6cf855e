# SPDX-License-Identifier: Apache-2.0
"""The help of the commands by which a feed is published, in Vietnamese: part of ``help``."""

from __future__ import annotations

COMMANDS = {
    "Make the keys of a feed, and a publication that is still empty.": (
        "Tạo các khóa của một nguồn danh sách, và bản phát hành còn trống."
    ),
    "DIR has keys/, public/ for the web server, and root.json for every school. It says which"
    " keys to carry where. No key is ever written over.": (
        "Trong THƯ_MỤC có keys/ (khóa), public/ cho máy chủ web, và root.json cho mọi trường."
        " Lệnh nói rõ phải mang khóa nào đi đâu. Không khóa nào bị ghi đè."
    ),
    "Make a version of the feed out of the catalogue and the texts of its sources.": (
        "Tạo một phiên bản của nguồn danh sách từ danh mục và nội dung các nguồn bên ngoài."
    ),
    "A source that does not come, or is not what it was, keeps its last good text. A version"
    " that changes unusually much is not written until somebody has looked.": (
        "Nguồn nào không lấy được, hoặc khác hẳn trước, thì giữ nội dung tốt gần nhất. Phiên bản"
        " thay đổi nhiều bất thường thì chưa ghi, cho đến khi có người xem."
    ),
    "Exit code 0: written; 1: written, and a source was not taken; 50: held, not written; 2:"
    " something is wrong, the last build stays.": (
        "Mã thoát 0: đã ghi; 1: đã ghi, nhưng có nguồn không nhận; 50: chờ xem lại, chưa ghi; 2:"
        " có lỗi, bản trước giữ nguyên."
    ),
    "Look at rules for look-alikes that wait for a person; accept or refuse them.": (
        "Xem các quy tắc tên nhái đang chờ người quyết định; chấp nhận hoặc từ chối."
    ),
    "A shape such as i9bet# stands for names that differ in digits only. Most hold by"
    " themselves; one waits where it fits a name that people visit, or says too little. The"
    " next `feed build` goes by what is decided, and does not ask again. A rule that holds by"
    " itself is refused, too: with its category.": (
        "Một mẫu như i9bet# chỉ các tên chỉ khác nhau ở chữ số. Phần lớn tự có hiệu lực; mẫu nào"
        " trùng với tên nhiều người vào, hoặc quá ít chữ, thì chờ xem. `feed build` lần sau làm"
        " theo quyết định, và không hỏi lại. Quy tắc tự có hiệu lực cũng từ chối được: nêu thêm"
        " nhóm của nó."
    ),
    "Exit code 0: nothing waits, or it is decided; 1: something waits; 2: something is wrong,"
    " nothing is decided.": (
        "Mã thoát 0: không có gì chờ, hoặc đã quyết định xong; 1: có mục đang chờ; 2: có lỗi, chưa"
        " quyết định gì."
    ),
    "Publish a version: whole files, differences from the last seven, all of it signed.": (
        "Phát hành một phiên bản: tệp đầy đủ, phần chênh lệch với bảy bản trước, tất cả đều ký."
    ),
    "Readers find the old version or the new one and never a mix; after an interruption the"
    " same command goes on.": (
        "Người đọc nhận được bản cũ hoặc bản mới, không bao giờ lẫn lộn; nếu bị ngắt giữa chừng,"
        " chạy lại lệnh này để làm tiếp."
    ),
    "Exit code 0: published; 2, 20 or more: not, and what was published stays.": (
        "Mã thoát 0: đã phát hành; 2, 20 trở lên: chưa, và bản đang phát hành giữ nguyên."
    ),
    "Sign what the law orders to be blocked, on the machine of whoever orders.": (
        "Ký các lệnh chặn theo pháp luật, trên máy của cơ quan ra lệnh."
    ),
    "Each order has its number, issuer, date and expiry; those that have expired are left out.": (
        "Mỗi lệnh có số, cơ quan ban hành, ngày và ngày hết hạn; lệnh đã hết hạn thì không đưa vào."
    ),
    "Exit code 0: signed; 2: something is wrong, nothing is signed.": (
        "Mã thoát 0: đã ký; 2: có lỗi, chưa ký gì."
    ),
    "Exchange a key that is old, lost, or may be in other hands.": (
        "Đổi một khóa đã cũ, đã mất, hoặc có thể đã lọt vào tay người khác."
    ),
    "Two root keys must be at hand. Schools follow by themselves; a new key of orders they hold"
    " until `feed release-hold`. After an interruption the same command goes on.": (
        "Phải có hai khóa gốc. Các trường tự nhận biết; khóa mới của orders thì các trường giữ lại"
        " cho đến khi có `feed release-hold`. Nếu bị ngắt giữa chừng, chạy lại lệnh này để làm"
        " tiếp."
    ),
    "Exit code 0: exchanged; 2 or 20: not.": "Mã thoát 0: đã đổi; 2 hoặc 20: chưa đổi.",
    "Release for all schools what they hold of the version that is published.": (
        "Cho phép mọi trường áp dụng những gì họ giữ lại ở phiên bản đã phát hành."
    ),
    "It is judged here as schools do. Two root keys sign what was found, and schools take it at"
    " their next run; keys that are online release nothing.": (
        "Phiên bản được kiểm tra tại đây như ở các trường. Hai khóa gốc ký cho các lý do tìm thấy,"
        " các trường áp dụng ở lần đồng bộ tới; khóa trực tuyến không cho phép được gì."
    ),
    "Exit code 0: released; 1: nothing is held; 50: schools refuse it, and no key releases that;"
    " 2 or 20: not.": (
        "Mã thoát 0: đã cho phép; 1: không có gì bị giữ; 50: các trường từ chối, không khóa nào cho"
        " phép được; 2 hoặc 20: chưa làm được."
    ),
    "Look at a publication as a new school does: fetch, verify, unpack and load all.": (
        "Xem một bản phát hành như một trường mới: tải, kiểm tra, giải nén và nạp tất cả."
    ),
    "It tells until when each role's word holds.": (
        "Cho biết chữ ký của từng vai trò có hiệu lực đến bao giờ."
    ),
    "Exit code 0: good; 1: good, and a role must soon sign anew; 30 to 36: it did not come; 40"
    " to 46: it must not be trusted; 2: something else is wrong.": (
        "Mã thoát 0: tốt; 1: tốt, nhưng sắp phải ký lại một vai trò; 30 đến 36: không tải được; 40"
        " đến 46: không được tin; 2: có lỗi khác."
    ),
    "Show what changes from one version to another, and for whom.": (
        "Xem thay đổi từ phiên bản này sang phiên bản khác, và với ai."
    ),
    "By category, and popular names that are newly closed or opened, by rank; for which grades"
    " follows from the feed's ages, not from what schools set.": (
        "Theo nhóm, và các tên phổ biến vừa bị đóng hay được mở, theo thứ hạng; với khối lớp nào"
        " là theo tuổi ghi trong nguồn danh sách, không theo cài đặt của trường."
    ),
    "Exit code 0: nothing differs; 1: something does; 2: it cannot be told.": (
        "Mã thoát 0: không khác gì; 1: có khác; 2: không trả lời được."
    ),
}
"""What commands do: English -> Vietnamese, a paragraph an entry."""

OPTIONS = {
    "The folder to make.": "Thư mục sẽ tạo.",
    "Ask for a passphrase that encrypts the keys.": "Hỏi mật khẩu để mã hóa các khóa.",
    "The publisher's blocklists folder.": "Thư mục blocklists của nơi phát hành.",
    "Folder of the version, made or replaced.": "Thư mục của phiên bản, sẽ tạo hoặc thay.",
    "Names that everybody visits, the most popular first, one a line.": (
        "Các tên nhiều người vào, mỗi dòng một tên, phổ biến nhất trước."
    ),
    "Read the sources here, ID.txt each; else the web.": (
        "Đọc các nguồn ở đây, mỗi nguồn một tệp ID.txt; nếu không nêu: tải từ mạng."
    ),
    "Folder of last good texts; else sources/ beside it.": (
        "Thư mục nội dung tốt gần nhất; nếu không nêu: sources/ bên cạnh."
    ),
    "The version to compare with; else the last build.": (
        "Phiên bản để so sánh; nếu không nêu: bản tạo lần trước."
    ),
    "Write it although it changes unusually much.": "Vẫn ghi dù thay đổi nhiều bất thường.",
    "Make a rule of it; may be repeated.": "Đặt thành quy tắc; có thể nêu nhiều lần.",
    "Never make one; may be repeated.": "Không bao giờ đặt quy tắc này; có thể nêu nhiều lần.",
    "Only of this category.": "Chỉ trong nhóm này.",
    "Why; it is kept with the decision.": "Lý do; được ghi cùng quyết định.",
    "Who decides; else who is logged in.": "Ai quyết định; nếu không nêu: người đang đăng nhập.",
    "Show what was decided instead.": "Xem những gì đã quyết định.",
    "Show all that waits.": "Xem tất cả những gì đang chờ.",
    "The folder that the web server hands out.": "Thư mục mà máy chủ web phát ra.",
    "Folder of the keys; else keys/ beside REPO.": (
        "Thư mục khóa; nếu không nêu: keys/ bên cạnh BẢN_PHÁT_HÀNH."
    ),
    "What `feed build` made; else what is published is signed for another term.": (
        "Thư mục do `feed build` tạo; nếu không nêu: ký lại bản đang phát hành thêm một kỳ hạn."
    ),
    "New orders, what `feed sign` made.": "Lệnh chặn mới, thư mục do `feed sign` tạo.",
    "Schools take it within ten minutes, not tonight.": (
        "Các trường nhận trong vòng mười phút, không đợi đến đêm."
    ),
    "Folder of orders.yaml and orders/.": "Thư mục có orders.yaml và orders/.",
    "Folder to make and carry to the publisher.": "Thư mục sẽ tạo để chuyển cho nơi phát hành.",
    "Folder that has orders/orders.pem.": "Thư mục có orders/orders.pem.",
    "The version signed last.": "Phiên bản đã ký lần trước.",
    "Make a new key, which takes the old one's place.": "Tạo khóa mới, thay cho khóa cũ.",
    "root, targets, snapshot, timestamp or orders.": (
        "Một trong: root, targets, snapshot, timestamp, orders."
    ),
    "Which of the root keys goes.": "Thay khóa gốc thứ mấy.",
    "Why; schools keep it.": "Lý do; được lưu lại ở các trường.",
    "Show what schools hold, and sign nothing.": "Chỉ xem những gì các trường giữ lại, không ký.",
    "A root key on its medium; may be repeated.": (
        "Tệp khóa gốc trên thiết bị cất giữ; có thể nêu nhiều lần."
    ),
    "For orders: what the new key has signed.": "Với orders: thư mục mà khóa mới đã ký.",
    "Address or folder of a publication.": "Địa chỉ hoặc thư mục của một bản phát hành.",
    "What schools are given; else root.json beside DIR.": (
        "Tệp giao cho các trường; nếu không nêu: root.json bên cạnh THƯ_MỤC."
    ),
    "Folder of a version, or its number with --repo.": (
        "Thư mục của một phiên bản, hoặc số của nó khi có --repo."
    ),
    "The one to compare with it.": "Phiên bản để so sánh.",
    "The publication that has both numbers.": "Bản phát hành có cả hai số.",
    "Show the first names of each category, too.": "Hiện cả những tên đầu tiên của mỗi nhóm.",
}
"""What arguments and options are for: English -> Vietnamese."""

WORDS = {
    "ORDERS": "LỆNH_CHẶN",
    "PARCEL": "GÓI",
    "REPO": "BẢN_PHÁT_HÀNH",
    "ROLE": "VAI_TRÒ",
    "SHAPE": "MẪU",
    "URL|DIR": "ĐỊA_CHỈ|THƯ_MỤC",
    "V1": "BẢN_1",
    "V2": "BẢN_2",
}
"""Words that stand for a value: English -> Vietnamese."""
