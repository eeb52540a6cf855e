# SPDX-License-Identifier: Apache-2.0
"""What is wrong with what the feed's publisher does, in Vietnamese."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # release-hold
    "schools refuse version {version}, and no key releases that: {why}; publish another version": (
        "các trường từ chối phiên bản {version}, và không khóa nào làm khác được: {why}; hãy phát"
        " hành phiên bản khác"
    ),
    "another version is published by now; look at that": (
        "một phiên bản khác đã được phát hành; hãy xem phiên bản đó"
    ),
    # init, rotate-key
    "{folder}: there is a publication already; publish into it, or choose another folder": (
        "{folder}: đã có bản phát hành; hãy phát hành tiếp vào đó, hoặc chọn thư mục khác"
    ),
    "the passphrase has {length} characters": "mật khẩu có {length} ký tự",
    "{least} are the least": "ít nhất phải {least}",
    "the keys have a passphrase, and there is no terminal to ask for it": (
        "khóa có mật khẩu, mà không có màn hình dòng lệnh để hỏi"
    ),
    "no passphrase was given": "chưa nhập mật khẩu",
    "set {variable}": "hãy đặt {variable}",
    "'{role}' is no role": "'{role}' không phải là vai trò",
    "it cannot be told which of the root keys is to go": "không rõ phải thay khóa gốc nào",
    "bring it, or all but the one that is lost ({all} keys)": (
        "hãy đưa khóa đó, hoặc mọi khóa trừ khóa đã mất (có {all} khóa)"
    ),
    "the new key of the role orders must have signed what is ordered": (
        "khóa mới của vai trò orders phải ký các lệnh chặn trước"
    ),
    "there: filterd feed sign --new-key; here: --orders PARCEL": (
        "ở bên ra lệnh: filterd feed sign --new-key; ở đây: --orders PARCEL"
    ),
    # build, review
    "there is no folder {folder}": "không có thư mục {folder}",
    "check --from-folder": "hãy kiểm tra --from-folder",
    "the version is held: {why}; look at it, then `--accept` writes it all the same": (
        "phiên bản chờ xem lại: {why}; hãy xem, rồi `--accept` để vẫn ghi"
    ),
    "these rules are made by each build": "các quy tắc này do mỗi lần `feed build` tạo ra",
    "remove it; `filterd feed review` accepts and refuses them": (
        "hãy xóa tệp; `filterd feed review` để chấp nhận hoặc từ chối chúng"
    ),
    "a decision wants its reason": "quyết định phải có lý do",
    "--reason 'what was seen of these names'": "--reason 'đã thấy gì ở các tên này'",
    "a shape stands twice": "một mẫu được ghi hai lần",
    "accept it or refuse it, once": "hãy chấp nhận hoặc từ chối, một lần",
    "'{shape}' waits in several categories": "'{shape}' đang chờ trong nhiều nhóm",
    "'{shape}' does not wait for anybody": "'{shape}' không có trong danh sách chờ xem",
    "'{word}' is no category that has such rules": (
        "'{word}' không phải là nhóm có loại quy tắc này"
    ),
    # publish, sign
    "somebody else is publishing; wait for them": "có người khác đang phát hành; hãy đợi họ",
    "{path}: it has a private key; it must never be published": (
        "{path}: có khóa bí mật; không bao giờ được phát hành"
    ),
    "{path}: this is no part of a version; publish a folder that `filterd feed build` has made": (
        "{path}: không thuộc một phiên bản; hãy phát hành thư mục do `filterd feed build` tạo"
    ),
    "not all of it came": "không đọc được đầy đủ",
    "{path}: cannot be unpacked: {why}": "{path}: không giải nén được: {why}",
    "{folder}: this is nothing that `filterd feed sign` has written; carry the folder over again": (
        "{folder}: đây không phải thư mục do `filterd feed sign` ghi; hãy chép lại cả thư mục"
    ),
    "the metadata of the role `orders` is not signed by its key; if that was exchanged: "
    "`filterd feed rotate-key REPO orders`": (
        "dữ liệu mô tả của vai trò `orders` không do khóa của nó ký; nếu khóa đã đổi: "
        "`filterd feed rotate-key REPO orders`"
    ),
    "the role `orders` has signed version {version} before; sign again by `filterd feed sign "
    "--after {last}`": (
        "vai trò `orders` đã ký phiên bản {version} trước đó; hãy ký lại: `filterd feed sign "
        "--after {last}`"
    ),
    "order {number}: its date, {date}, is to come; sign it on that day": (
        "lệnh {number}: ngày {date} chưa tới; hãy ký vào ngày đó"
    ),
    "{path}, line {line}: '{text}' {reason}; mend the line": (
        "{path}, dòng {line}: '{text}': {reason}; hãy sửa dòng đó"
    ),
    "{path}: has no names; write one a line, or remove the order": (
        "{path}: không có tên nào; hãy ghi mỗi dòng một tên, hoặc bỏ lệnh này"
    ),
    "a text of 1 to {most} characters expected": "cần một dòng chữ có từ 1 đến {most} ký tự",
    "one line of text expected": "cần một dòng chữ",
    "remove what does not print": "hãy bỏ những ký tự không in được",
    "the order ends before it begins": "lệnh kết thúc trước khi bắt đầu",
    "exchange `date` and `expiry`": "hãy đổi chỗ `date` và `expiry`",
    "there is no category '{category}'": "không có nhóm '{category}'",
    "write its names there, one a line": "hãy ghi các tên vào đó, mỗi dòng một tên",
    # verify, diff
    "{path}: {why}": "{path}: {why}",
    "who looks at a feed must know whose it is": (
        "muốn kiểm tra nguồn danh sách thì phải biết là của ai"
    ),
    "--root ROOT.json, as schools are given it": "--root ROOT.json, tệp giao cho các trường",
    "'{number}' is no version that is at hand": "'{number}' không phải phiên bản đang có",
}
