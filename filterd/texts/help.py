# SPDX-License-Identifier: Apache-2.0
"""The help of commands in Vietnamese; the English stands in their docstrings and options.

``COMMANDS`` has what commands do, a paragraph an entry; ``help_options`` what
their arguments and options are. Who changes the English changes it here too: a
test names what is missing, and what nobody says any more.
"""

from __future__ import annotations

from filterd.texts import help_feed, help_publishing
from filterd.texts.help_options import OPTIONS, WORDS

COMMANDS = {
    "The DNS filter of a school: every lookup answered by age tier.": (
        "Bộ lọc DNS của trường học: trả lời mỗi tên được hỏi theo cấp tuổi."
    ),
    "`filterd COMMAND --help` tells more of one. What `allow`, `room set`, `exam start` and"
    " the like change is in force at once, is on record with who and why, and can be taken"
    " back by `undo`.": (
        "`filterd LỆNH --help` nói rõ hơn về từng lệnh. Những gì `allow`, `room set`,"
        " `exam start`, v.v. thay đổi có hiệu lực ngay, được ghi lại cùng người làm và lý do, và"
        " hoàn tác được bằng `undo`."
    ),
    "Exit code 0: done, or the name passes; 1: it is blocked, or nothing was found; 2: it"
    " cannot be told, or something is wrong.": (
        "Mã thoát 0: xong, hoặc tên được phép; 1: tên bị chặn, hoặc không tìm thấy gì; 2: không"
        " trả lời được, hoặc có lỗi."
    ),
    "Exit code 0: done; 2: not.": "Mã thoát 0: xong; 2: chưa được, có lỗi.",
    "Exit code 0: shown; 2: it cannot be told.": (
        "Mã thoát 0: đã hiển thị; 2: không trả lời được."
    ),
    "Exit code 0: shown; 2: it cannot be read.": "Mã thoát 0: đã hiển thị; 2: không đọc được.",
    "Exit code 0: written; 2: not.": "Mã thoát 0: đã ghi; 2: chưa được, có lỗi.",
    "Open TARGET to somebody, for a time.": "Mở ĐỐI_TƯỢNG trong một thời gian.",
    "It is in force at once and ends by itself. Without a grade, tier, room, client or"
    " network it is for everybody. What is locked stays closed; the entry of a list that"
    " names something by mistake is suspended by entry:NAME, for at most 14 days.": (
        "Có hiệu lực ngay và tự kết thúc. Nếu không nêu khối lớp, cấp tuổi, phòng, máy hay mạng"
        " thì áp dụng cho mọi người. Những gì bị khóa vẫn đóng; nếu một danh sách chặn nhầm, dùng"
        " entry:TÊN để tạm bỏ mục đó, nhiều nhất 14 ngày."
    ),
    "Close TARGET to somebody, for a time.": "Chặn ĐỐI_TƯỢNG trong một thời gian.",
    "It is in force at once and ends by itself. Without a grade, tier, room, client or"
    " network it is for everybody.": (
        "Có hiệu lực ngay và tự kết thúc. Nếu không nêu khối lớp, cấp tuổi, phòng, máy hay mạng"
        " thì áp dụng cho mọi người."
    ),
    "Believe the clock of this machine from now on.": ("Tin đồng hồ của máy này kể từ bây giờ."),
    "For a clock that filterd does not believe (`filterd status`) although it is right: the last"
    " known time came from a clock that was ahead, or the clock was set by hand. What was set"
    " while that was so keeps its length.": (
        "Dùng khi đồng hồ đã đúng mà filterd chưa tin (xem `filterd status`): giờ biết chắc lần"
        " cuối là của một đồng hồ chạy nhanh, hoặc đồng hồ vừa được chỉnh tay. Những gì đặt trong"
        " lúc đó vẫn giữ nguyên thời lượng."
    ),
    "Say that the clock of this machine is right.": "Xác nhận đồng hồ của máy này đúng.",
    "Take back your own last change, or another one.": (
        "Hoàn tác thay đổi gần nhất của chính mình, hoặc một thay đổi khác."
    ),
    "What others have changed since stays, unless you name its NUMBER. What it set is gone, what"
    " it took away is there again. An undo is a change, too, and can be taken back.": (
        "Những gì người khác thay đổi sau đó vẫn giữ nguyên, trừ khi nêu SỐ của thay đổi đó."
        " Những gì thay đổi được hoàn tác đã đặt sẽ mất, những gì nó bỏ sẽ trở lại. Hoàn tác"
        " cũng là một thay đổi, và cũng hoàn tác được."
    ),
    "Open what a list names by mistake, and report it.": (
        "Mở tên bị một danh sách chặn nhầm, và báo lỗi đó."
    ),
    "For 14 days, for everybody. The report says neither who found it nor who wanted the"
    " name. What an authority orders is not opened.": (
        "Trong 14 ngày, cho mọi người. Báo cáo không ghi ai phát hiện, cũng không ghi ai cần tên"
        " đó. Những gì cơ quan có thẩm quyền yêu cầu chặn thì không mở."
    ),
    "Answer lookups until told to stop.": "Chạy filterd: trả lời DNS cho đến khi được lệnh dừng.",
    "SIGHUP reloads, SIGTERM and Ctrl-C stop.": ("SIGHUP để nạp lại, SIGTERM hoặc Ctrl-C để dừng."),
    "Exit code 0: it was told to stop; 2: it could not begin.": (
        "Mã thoát 0: dừng theo lệnh; 2: không chạy được."
    ),
    "Tell what a class or device gets for a name, and why.": (
        "Cho biết một khối lớp hay một máy nhận được gì khi hỏi một tên, và vì sao."
    ),
    "What is to come follows from the timetable and what is set now; what was, from the"
    " history, with the lists of today.": (
        "Lúc sắp tới được tính theo thời khóa biểu và những gì đang được đặt; lúc đã qua, theo"
        " lịch sử, với danh sách của hôm nay."
    ),
    "Exit code 0: the name passes; 1: it is blocked; 2: it cannot be told, or what was in"
    " force then is not known.": (
        "Mã thoát 0: tên được phép; 1: tên bị chặn; 2: không trả lời được, hoặc không biết lúc đó"
        " đã áp dụng những gì."
    ),
    "Put the site's files and the compiled lists in force.": (
        "Áp dụng các tệp của trường và danh sách đã biên dịch."
    ),
    "If they are wrong, nothing changes.": "Nếu chúng có lỗi thì không có gì thay đổi.",
    "Show how the running daemon fares.": "Cho biết tình trạng của filterd đang chạy.",
    "Exit code 0: shown; 2: it cannot be told, or no daemon runs.": (
        "Mã thoát 0: đã hiển thị; 2: không trả lời được, hoặc filterd không chạy."
    ),
    "Copy the sample site and the tier files to DIR.": (
        "Chép trường mẫu và tệp của các cấp tuổi vào THƯ_MỤC."
    ),
    "Nothing that is there is overwritten.": "Không ghi đè những gì đã có.",
    "Compile lists, see what was compiled, find a name.": (
        "Biên dịch danh sách, xem đã biên dịch những gì, tìm một tên."
    ),
    "Compile the lists into the index that lookups read.": (
        "Biên dịch danh sách thành chỉ mục để tra cứu."
    ),
    "They are those that ship and the site's own. A running daemon serves the new index at once.": (
        "Gồm danh sách đi kèm và danh sách riêng của trường. Nếu filterd đang chạy thì dùng chỉ"
        " mục mới ngay."
    ),
    "Show what was kept of each list, what was not, and why.": (
        "Cho biết mỗi danh sách đã nhận gì, bỏ qua gì, và vì sao."
    ),
    "Find the lists that name NAME or a name above it.": (
        "Tìm các danh sách có TÊN hoặc tên cấp trên của nó."
    ),
    "Each is told with the line of its entry.": "Mỗi danh sách kèm số dòng của mục đó.",
    "Exit code 0: found; 1: on no list; 2: it cannot be told.": (
        "Mã thoát 0: tìm thấy; 1: không có trong danh sách nào; 2: không trả lời được."
    ),
    "Check the site's files, see what each grade may use.": (
        "Kiểm tra các tệp của trường, xem mỗi khối lớp được dùng gì."
    ),
    "Check site.yaml and the tier files.": "Kiểm tra site.yaml và tệp của các cấp tuổi.",
    "Every problem is told with its file, line and column. What is valid and may not be meant"
    " is warned of.": (
        "Mỗi lỗi kèm tệp, dòng và cột. Chỗ hợp lệ nhưng có thể không đúng ý thì được cảnh báo."
    ),
    "Exit code 0: valid; 2: not.": "Mã thoát 0: hợp lệ; 2: có lỗi.",
    "Show what one grade may use: categories and services.": (
        "Cho biết một khối lớp được dùng gì: các nhóm và dịch vụ."
    ),
    "That is what the site's files say; what commands have set is shown beside it.": (
        "Đó là theo các tệp của trường; những gì được đặt bằng lệnh hiển thị bên cạnh."
    ),
    "Show tiers, their grades and the networks of each.": (
        "Cho biết các cấp tuổi, khối lớp của mỗi cấp và mạng của mỗi khối."
    ),
    "Open or close a category or service to a grade.": (
        "Mở hoặc đóng một nhóm hay dịch vụ đối với một khối lớp."
    ),
    "It is in force at once, until it is set otherwise; the site's files stay as they are."
    " What is locked, by the centre or by the school, cannot be opened.": (
        "Có hiệu lực ngay, cho đến khi được đặt lại; các tệp của trường giữ nguyên. Những gì"
        " trung tâm hoặc trường đã khóa thì không mở được."
    ),
    "Show where what grades may use differs.": (
        "So sánh những gì các khối lớp được dùng, chỉ nêu chỗ khác nhau."
    ),
    "From the tiers that ship, unless two grades or two versions are named. What commands"
    " have set for grades counts, exceptions and schedules do not.": (
        "So với bản gốc của các cấp tuổi, trừ khi nêu hai khối lớp hoặc hai phiên bản. Có tính"
        " những gì được đặt cho khối lớp bằng lệnh, không tính ngoại lệ và lịch giờ."
    ),
    "Exit code 0: nothing differs; 1: something does; 2: it cannot be told.": (
        "Mã thoát 0: không có gì khác; 1: có chỗ khác; 2: không trả lời được."
    ),
    "Hold the policy to what is expected of it.": "Kiểm tra chính sách theo các mong đợi.",
    "The site's files as they are, with the compiled lists. What a reload goes by is in"
    " expectations/ of the site, and for each tier that has no file there, in the one that"
    " ships. What commands have set does not count, and schedules only where an expectation"
    " says when. An exception of site.yaml is told and holds against what ships.": (
        "Kiểm tra các tệp của trường như đang có, với danh sách đã biên dịch. Mong đợi mà mỗi lần"
        " nạp lại phải đạt nằm trong expectations/ của trường; cấp tuổi nào không có tệp ở đó thì"
        " dùng tệp đi kèm. Không tính những gì lệnh đã đặt; lịch giờ chỉ tính khi mong đợi có nêu"
        " lúc nào. Ngoại lệ trong site.yaml được báo và có hiệu lực trước mong đợi đi kèm."
    ),
    "Exit code 0: all are met; 1: some are not; 2: it cannot be told.": (
        "Mã thoát 0: đạt tất cả; 1: có mong đợi không đạt; 2: không trả lời được."
    ),
    "Show which policies were in force, and what was set.": (
        "Cho biết các chính sách đã áp dụng, và những gì đã được đặt."
    ),
    "A version is named by its digest, as `policy diff --versions` takes it.": (
        "Mỗi phiên bản được gọi bằng mã băm, như `policy diff --versions` nhận."
    ),
    "Take back the last `policy set` that counts, whoever gave it.": (
        "Hoàn tác lệnh `policy set` gần nhất còn hiệu lực, của bất kỳ ai."
    ),
    "`filterd undo NUMBER` takes back any change.": (
        "`filterd undo SỐ` hoàn tác một thay đổi bất kỳ."
    ),
    "See what the daemon remembers of lookups.": "Xem những gì filterd nhớ về các lần hỏi.",
    "Show how often what was answered: by day, by grade, and blocks by category.": (
        "Cho biết số lần trả lời: theo ngày, theo khối lớp, và số lần chặn theo nhóm."
    ),
    "Totals only: no name and no address is remembered.": (
        "Chỉ có số tổng: không nhớ tên và địa chỉ nào."
    ),
    "See and end what `allow` and `block` have set.": (
        "Xem và kết thúc những gì `allow` và `block` đã đặt."
    ),
    "Show what `allow` and `block` have set: what, for whom, until when, who and why.": (
        "Cho biết `allow` và `block` đã đặt gì: việc gì, đối với ai, đến khi nào, ai đặt và vì sao."
    ),
    "End an exception before its time, or the setting of a grade or a room.": (
        "Kết thúc sớm một ngoại lệ, hoặc điều đã đặt cho khối lớp hay phòng."
    ),
    "See and say who sits in which room.": "Xem và đặt khối lớp nào ngồi phòng nào.",
    "Show who sits in each room now, why, and until when; and devices that are in none.": (
        "Cho biết ai đang ngồi ở mỗi phòng, vì sao, đến khi nào; và thiết bị không thuộc phòng nào."
    ),
    "A network that is no room is shown while something is set for it.": (
        "Mạng không phải phòng chỉ hiện ra khi đang có điều được đặt cho nó."
    ),
    "Show one room: who sits there now, its timetable, its devices, what is set.": (
        "Xem một phòng: ai đang ngồi, thời khóa biểu, thiết bị, những gì được đặt."
    ),
    "Exit code 0: shown; 2: there is no such room, or it cannot be told.": (
        "Mã thoát 0: đã hiển thị; 2: không có phòng đó, hoặc không trả lời được."
    ),
    "Say which grade sits in a room, whatever its timetable says.": (
        "Đặt khối lớp đang ngồi trong phòng, bất kể thời khóa biểu."
    ),
    "It is in force at once and ends by itself.": "Có hiệu lực ngay và tự kết thúc.",
    "Watch which devices appear while a room is switched on: they stand in it.": (
        "Ghi nhận thiết bị của phòng: những máy xuất hiện khi bật phòng đó."
    ),
    "Switch the room's devices off, begin, and switch them on. Those that stand in another"
    " room are left there, and those whose MAC is made up, as telephones do, are left out: it"
    " may be another one tomorrow.": (
        "Tắt các thiết bị của phòng, chạy lệnh này, rồi bật lại. Thiết bị thuộc phòng khác vẫn ở"
        " phòng đó; thiết bị tự đặt địa chỉ MAC, như điện thoại, không được ghi nhận: mai có thể"
        " là địa chỉ khác."
    ),
    "Exit code 0: stored; 1: no device appeared; 2: something is wrong.": (
        "Mã thoát 0: đã lưu; 1: không thiết bị nào xuất hiện; 2: có lỗi."
    ),
    "Say by a table which devices stand in which rooms.": (
        "Nhập bảng cho biết thiết bị nào thuộc phòng nào."
    ),
    "It is one change, which `filterd undo` takes back whole. Rooms that it does not name"
    " stay as they are.": (
        "Cả bảng là một thay đổi, `filterd undo` hoàn tác tất cả. Phòng nào không có trong bảng"
        " thì giữ nguyên."
    ),
    "Write a table of rooms and their devices, as `room import` reads it.": (
        "Ghi bảng các phòng và thiết bị, theo dạng mà `room import` đọc."
    ),
    "Let a room see only what an exam needs.": "Cho phòng thi chỉ vào được những gì cần để thi.",
    "Record what the devices of a room ask for in a trial run of the exam.": (
        "Ghi lại những tên mà thiết bị của phòng hỏi trong lúc thi thử."
    ),
    "It keeps names, not who asks for them, and writes them to FILE by their owners: look"
    " through it before the exam and strike out what is not needed.": (
        "Chỉ ghi tên miền, không ghi máy nào hỏi, và xếp trong TỆP theo chủ của tên: hãy xem lại"
        " trước khi thi và xóa tên không cần."
    ),
    "Exit code 0: written; 1: nothing was asked for; 2: something is wrong.": (
        "Mã thoát 0: đã ghi; 1: không tên nào được hỏi; 2: có lỗi."
    ),
    "Let a room see only what its exam needs, and what nothing may block.": (
        "Bắt đầu kỳ thi: phòng chỉ vào được những gì cần để thi, và tên không ai được chặn."
    ),
    "It ends by itself and outlasts a restart. Exceptions that overlap are warned of.": (
        "Tự kết thúc, và vẫn giữ khi khởi động lại. Ngoại lệ trùng thời gian thì được cảnh báo."
    ),
    "End an exam, or call off one that has not begun.": (
        "Kết thúc kỳ thi, hoặc hủy kỳ thi chưa bắt đầu."
    ),
    "Without a number it is the only one that there is.": (
        "Nếu không nêu số thì là kỳ thi duy nhất đang có."
    ),
    "Show the exams that are on or to come.": "Cho biết các kỳ thi đang diễn ra và sắp tới.",
    "See services, such as youtube or zalo.": "Xem các dịch vụ, như youtube hay zalo.",
    "Show the services that can be opened and closed by name.": (
        "Cho biết các dịch vụ có thể mở và đóng theo tên."
    ),
    "Show one service: its names, and who may use it now.": (
        "Xem một dịch vụ: các tên miền, và ai đang được dùng."
    ),
    "Exit code 0: shown; 2: there is no such service, or it cannot be told.": (
        "Mã thoát 0: đã hiển thị; 2: không có dịch vụ đó, hoặc không trả lời được."
    ),
    "See who changed what, and that nobody altered it.": (
        "Xem ai đã thay đổi gì, và lịch sử có bị sửa không."
    ),
    "Show the last changes: when, who, what and why.": (
        "Cho biết các thay đổi gần nhất: lúc nào, ai, việc gì và vì sao."
    ),
    "In JSON with what was set before and after each.": (
        "Trong JSON có cả những gì được đặt trước và sau mỗi thay đổi."
    ),
    "Look through the whole history for what somebody has altered.": (
        "Kiểm tra toàn bộ lịch sử xem có chỗ nào bị sửa."
    ),
    "What was altered is set aside by the next start, and told of until somebody moves it away.": (
        "Lịch sử bị sửa được để riêng ở lần khởi động sau, và vẫn được báo cho đến khi có người"
        " chuyển tệp đi."
    ),
    "Exit code 0: it is as it was written; 1: a change was altered, removed or added, and the"
    " first of those is named, or it was so before; 2: it cannot be read.": (
        "Mã thoát 0: nguyên vẹn; 1: có thay đổi bị sửa, xóa hay thêm, và chỗ đầu tiên được nêu"
        " ra, hoặc trước đây đã bị như vậy; 2: không đọc được."
    ),
}
"""What commands do: English -> Vietnamese, a paragraph an entry."""

HELP = {
    **COMMANDS,
    **OPTIONS,
    **help_feed.COMMANDS,
    **help_feed.OPTIONS,
    **help_publishing.COMMANDS,
    **help_publishing.OPTIONS,
}
"""All that commands say of themselves: English -> Vietnamese."""
VALUES = WORDS | help_publishing.WORDS
"""Titles, and words that stand for a value, of all commands: English -> Vietnamese."""


def told(english: str) -> str:
    """Return a paragraph of a command's help, or the help of an option, in Vietnamese."""
    return HELP.get(english, english)


def word(english: str) -> str:
    """Return a word that stands for a value, or a title, in Vietnamese: ``FILE`` is ``TỆP``."""
    return VALUES.get(english, english)
