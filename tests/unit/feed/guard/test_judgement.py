# SPDX-License-Identifier: Apache-2.0
"""A judgement and the child that makes it: whatever that does, a judgement comes of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.feed.guard import candidate, impact, limits, must_block, must_resolve, tables
from filterd.feed.guard import judgement as judging
from filterd.feed.guard.judgement import (
    CHECKS,
    EXPECTATIONS,
    MAX_FINDINGS,
    MAX_NAMES,
    MAX_OCTETS,
    SCHOOL,
    Finding,
    JudgedSchool,
    Judgement,
    ServedFiles,
    Severity,
    blocklists_from,
    dump,
    found,
    judge,
    load,
    request_of,
)
from filterd.feed.guard.provenance import PROVENANCE
from filterd.feed.versions import Candidate
from filterd.lists.index_files import Blocklists
from filterd.texts.i18n import say, translated
from tests.support.broken_versions import BROKEN, POPULAR, add
from tests.support.clock import FakeClock
from tests.support.feed_candidates import GAMBLING, Following
from tests.support.policies import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    Child = Callable[..., Judgement]


DIGEST = "ab" * 32
_OF_NAMES = must_resolve.ESSENTIALS, must_resolve.BENEATH, must_resolve.SUFFIXES


def a_finding(severity: Severity, kind: str = "growth", why: str = "why") -> Finding:
    sentence = say("it could not be loaded: {why}", why=why)
    return found(kind, severity, sentence, ["a.example"], count=3, part=0.5)


def judgement(*severities: Severity, kind: str = "growth") -> Judgement:
    findings = tuple(a_finding(severity, kind) for severity in severities)
    return Judgement("7", findings, DIGEST, ("files", "golden"), 1.5, 1 << 20)


def test_the_kind_of_a_finding_is_the_word_of_its_check() -> None:
    """Judgements are kept: the words are those of earlier releases."""
    kinds = (candidate.LOADING, must_block._GOLDEN, PROVENANCE, *_OF_NAMES, must_resolve.REWRITES)
    counted = (limits.POPULAR, impact._POPULAR, judging.ASKED, limits.GROWTH, tables.TABLES)
    assert (*kinds, *dict.fromkeys(counted), must_block._CANARIES, EXPECTATIONS) == CHECKS[1:]
    assert (SCHOOL, judging.ASKED_LITTLE) == ("school", "asked-little")


@pytest.mark.parametrize(
    ("severities", "by_itself", "approved"),
    [
        ([], True, True),
        ([Severity.NOTE], True, True),
        ([Severity.HELD, Severity.NOTE], False, True),
        ([Severity.NOTE, Severity.REFUSED, Severity.HELD], False, False),
    ],
)
def test_the_worst_finding_decides_whether_a_version_may_come(
    severities: list[Severity], by_itself: bool, approved: bool
) -> None:
    judged = judgement(*severities)
    assert judged.may_come_in_force() is by_itself
    assert judged.may_come_in_force(approved=True) is approved


@pytest.mark.parametrize(
    ("severity", "kind", "final"),
    [
        (Severity.REFUSED, "loading", True),
        (Severity.REFUSED, "school", False),
        (Severity.REFUSED, "expectations", False),
        (Severity.HELD, "growth", False),
    ],
)
def test_only_what_is_wrong_with_the_version_itself_is_final(
    severity: Severity, kind: str, final: bool
) -> None:
    assert judgement(severity, kind=kind).is_final is final


def test_a_held_version_explains_how_to_approve_it_and_a_refused_one_does_not() -> None:
    held = str(judgement(Severity.HELD, Severity.HELD).error())
    assert "`filterd feed approve 7`" in held
    assert "(and 1 more)" in held
    refused = str(judgement(Severity.REFUSED, Severity.HELD).error())
    assert "approve" not in refused
    assert "more)" not in refused


def test_the_error_is_worded_in_vietnamese() -> None:
    error = judgement(Severity.HELD).error()
    assert error.translated("vi").startswith("phiên bản 7 của nguồn danh sách bị giữ lại")


def test_what_is_reported_is_what_was_found() -> None:
    judged = judgement(Severity.HELD, Severity.NOTE)
    heard = load(dump(judged))
    assert heard == judged
    assert translated(heard.findings[0].sentence, "vi") == "không nạp được: why"


def test_names_and_texts_are_bounded_before_they_are_reported() -> None:
    sentence = say("it could not be loaded: {why}", why="x" * 100_000)
    one = found("golden", Severity.HELD, sentence, [f"{'n' * 400}{at}" for at in range(99)])
    assert len(one.names) == MAX_NAMES
    octets = dump(Judgement("1", (one,) * MAX_FINDINGS, DIGEST))
    assert len(octets) <= MAX_OCTETS * 4
    assert max(len(name) for name in json.loads(octets)["findings"][0]["names"]) == 260


@pytest.mark.parametrize("names", [["n"] * (MAX_NAMES + 1), ["n" * 261]])
def test_a_child_that_reports_more_names_than_it_may_is_not_believed(names: list[str]) -> None:
    reported = json.loads(dump(Judgement("1", (a_finding(Severity.HELD),), DIGEST)))
    assert load(json.dumps(reported).encode()).findings
    reported["findings"][0]["names"] = names
    with pytest.raises(ValueError, match="no judgement"):
        load(json.dumps(reported).encode())


def test_a_child_that_reports_a_longer_text_than_it_may_is_not_believed() -> None:
    text = say("it could not be loaded: {why}", why="x" * 10_000)
    with pytest.raises(ValueError, match="no judgement"):
        load(dump(Judgement("1", (replace(a_finding(Severity.HELD), sentence=text),), DIGEST)))


def test_a_finding_with_too_many_subjects_has_none() -> None:
    for longest, kept in ((1, True), (2, False)):
        subjects = ["s" * 10] * 799 + ["s" * 9, "s" * longest]  # of 8,000 characters, and one more
        sentence = say("it could not be loaded: {why}", why="why")
        of_it = found("growth", Severity.HELD, sentence, (), subjects)
        assert of_it.subjects == (tuple(subjects) if kept else ())


def test_of_many_findings_with_subjects_the_worst_keep_them() -> None:
    """So long as all of them have 40,000 characters together."""
    many = [replace(a_finding(Severity.HELD), subjects=("s" * 8_000,)) for _ in range(5)]
    worst = replace(a_finding(Severity.REFUSED), subjects=("w",))
    assert load(dump(Judgement("1", tuple(many), DIGEST))).findings == tuple(many)
    heard = load(dump(Judgement("1", (*many, worst), DIGEST))).findings
    assert [len(one.subjects) for one in heard] == [1, 1, 1, 1, 0, 1]


def test_of_very_many_findings_the_worst_are_reported_and_in_their_order() -> None:
    notes = [a_finding(Severity.NOTE, why=str(at)) for at in range(MAX_FINDINGS + 5)]
    worst = a_finding(Severity.REFUSED, why="the one")
    heard = load(dump(Judgement("1", (*notes, worst), DIGEST)))
    assert len(heard.findings) == MAX_FINDINGS
    assert heard.findings == (*notes[: MAX_FINDINGS - 1], worst)


GOOD: dict[str, Any] = json.loads(dump(judgement(Severity.HELD)))
FINDING: dict[str, Any] = GOOD["findings"][0]
NO_JUDGEMENTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "very deep": b"[" * 100_000,
    "too much": json.dumps({**GOOD, "more": "x" * MAX_OCTETS}).encode(),
    **{
        f"without {key}": json.dumps({k: v for k, v in GOOD.items() if k != key}).encode()
        for key in GOOD
    },
    **{
        f"a finding without {key}": json.dumps(
            {**GOOD, "findings": [{k: v for k, v in FINDING.items() if k != key}]}
        ).encode()
        for key in FINDING
    },
    **{
        f"{key} as {value!r}": json.dumps({**GOOD, key: value}).encode()
        for key, value in [
            ("version", [7]),
            ("version", True),
            ("version", 7.0),
            ("index", "ab"),
            ("index", None),
            ("checks", "files"),
            ("checks", [1]),
            ("seconds", "long"),
            ("seconds", None),
            ("peak_octets", 1.5),
            ("findings", {}),
            ("findings", [None]),
        ]
    },
    **{
        f"a finding with {key} as {str(value)[:20]}": json.dumps(
            {**GOOD, "findings": [{**FINDING, key: value}]}
        ).encode()
        for key, value in [
            ("severity", "grave"),
            ("severity", None),
            ("kind", 1),
            ("names", 5),
            ("names", [5]),
            ("numbers", [1]),
            ("numbers", {"count": "many"}),
            ("numbers", {"count": [1]}),
            ("sentence", 5),
            ("sentence", ["x" * 5_000, {}]),
            ("sentence", ["{a}" * 500, {"a": "x" * 100}]),
        ]
    },
    "too many findings": json.dumps({**GOOD, "findings": [FINDING] * (MAX_FINDINGS + 1)}).encode(),
}


@pytest.mark.parametrize("said", NO_JUDGEMENTS)
def test_what_is_no_judgement_is_not_believed(said: str) -> None:
    with pytest.raises(ValueError, match=r"judgement|sentence|Expecting|Severity|float"):
        load(NO_JUDGEMENTS[said])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_none_are_not_believed(number: str) -> None:
    octets = json.dumps({**GOOD, "findings": [{**FINDING, "numbers": {"count": 0.125}}]}).encode()
    assert load(octets).findings[0].numbers == {"count": 0.125}
    for true in (b"0.125", b"1.5"):  # a number of a finding, and the seconds
        with pytest.raises(ValueError, match="judgement"):
            load(octets.replace(true, number.encode()))


VERSION = "7"
SOUND = Judgement(VERSION, (), "ab" * 32, CHECKS)
BAD = found("growth", Severity.REFUSED, say("it took more than {limit_s} s", limit_s=1))
FOREVER = "import signal; signal.pause()"


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Child:
    """Have another program in the child's place; return how it is judged."""

    def judged(program: str, *, time_limit_s: float = 60.0, log: Path | None = None) -> Judgement:
        command = [sys.executable, "-c", f"import os, sys\n{program}"]
        monkeypatch.setattr(judging, "_command", lambda: command)
        school = JudgedSchool(tmp_path, *_fresh(tmp_path), log)
        candidate = Candidate(VERSION, tmp_path)
        return judge(candidate, None, school, time_limit_s=time_limit_s)

    return judged


def _fresh(folder: Path) -> tuple[Path, Path, Path]:
    return folder / "fresh", folder / "problems", folder / "policy"


def saying(octets: bytes, *, status: int = 0) -> str:
    return (
        f"sys.stdin.buffer.read(); sys.stdout.buffer.write({octets!r}); "
        f"sys.stdout.flush(); os._exit({status})"
    )


def why(judgement: Judgement) -> str:
    """Return why a version was refused, which must be all that is said of it."""
    [only] = judgement.findings
    assert (judgement.version, only.severity) == (VERSION, Severity.REFUSED)
    assert judgement.index == ""
    return str(only.sentence).removeprefix("it could not be loaded: ")


def test_a_judgement_is_taken_as_it_is_reported(child: Child) -> None:
    assert child(saying(dump(SOUND))) == SOUND


def test_a_refusal_needs_no_further_checks(child: Child) -> None:
    refusal = Judgement(VERSION, (BAD,), "", ("files",))
    assert child(saying(dump(refusal))) == refusal


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "the guard's output is not a judgement"),
        (b"fine!", "the guard's output is not a judgement"),
        (dump(SOUND) + b"{}", "the guard's output is not a judgement"),
        (dump(Judgement(f"{VERSION}1", (), "ab" * 32, CHECKS)), "not every check has run"),
        (dump(Judgement(VERSION, (), "", CHECKS)), "not every check has run"),
        (dump(Judgement(VERSION, (), "ab" * 32, ())), "not every check has run"),
    ],
)
def test_what_is_no_whole_judgement_is_a_refusal(child: Child, output: bytes, reason: str) -> None:
    assert why(child(saying(output))) == reason


@pytest.mark.parametrize("check", CHECKS)
def test_a_judgement_that_leaves_a_check_out_is_none(child: Child, check: str) -> None:
    others = tuple(one for one in CHECKS if one != check)
    assert "every check" in why(child(saying(dump(Judgement(VERSION, (), "ab" * 32, others)))))


def test_a_judgement_of_a_child_that_failed_is_not_believed(child: Child) -> None:
    assert why(child(saying(dump(SOUND), status=3))) == "exit status 3"


def test_a_child_that_is_killed_is_a_refusal(child: Child) -> None:
    assert "too little memory" in why(child("os.kill(os.getpid(), 9)"))


def test_its_last_words_are_reported_shortly_and_on_one_line(child: Child) -> None:
    reason = why(child("sys.exit('first\\n' + '\\x1b[31m' + 'x' * 900)"))
    assert reason.startswith("\\x1b[31mxxx")
    assert len(reason) <= 200 * 4


def test_much_on_its_error_output_is_read_to_the_end_and_not_kept(child: Child) -> None:
    reason = why(child("sys.stderr.write('x' * 5_000_000 + '\\nthe end\\n'); os._exit(1)"))
    assert reason == "the end"


def test_a_child_that_reads_nothing_is_not_waited_for(child: Child) -> None:
    assert why(child("os._exit(4)", log=Path("x" * 1_000_000))) == "exit status 4"


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return the children that are started, as a list that grows."""
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen.__init__

    def noting(self: subprocess.Popen[bytes], *words: Any, **how: Any) -> None:
        start(self, *words, **how)
        started.append(self)

    monkeypatch.setattr(subprocess.Popen, "__init__", noting)
    return started


Children = list[subprocess.Popen[bytes]]


def test_a_child_that_does_not_end_is_ended(child: Child, children: Children) -> None:
    assert why(child(FOREVER, time_limit_s=0.0)) == "it took more than 0 s"
    assert [one.returncode for one in children] == [-signal.SIGKILL]


def test_a_child_that_talks_without_end_is_ended(child: Child, children: Children) -> None:
    forever = "while True: os.write(1, b'x' * 4096)"
    assert why(child(forever)) == "the guard's output is too long"
    assert [one.returncode for one in children] == [-signal.SIGKILL]


def test_a_child_that_reports_all_and_does_not_end_is_ended(
    child: Child, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = subprocess.Popen.wait

    def soon(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        return wait(self, None if timeout is None else 0.0)

    monkeypatch.setattr(subprocess.Popen, "wait", soon)
    staying = f"os.write(1, {dump(SOUND)!r}); os.close(1); os.close(2); {FOREVER}"
    assert why(child(staying)) == "it took more than 60 s"
    assert [one.returncode for one in children] == [-signal.SIGKILL]


def test_a_missing_child_gives_no_finding_of_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_command", lambda: [str(tmp_path / "none")])
    school = JudgedSchool(tmp_path, *_fresh(tmp_path))
    judgement = judge(Candidate(VERSION, tmp_path), None, school)
    assert not judgement.may_come_in_force(approved=True)
    assert not judgement.is_final


def test_the_child_is_given_no_more_of_the_environment_than_it_needs(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILTERD_SECRET", "1")
    monkeypatch.setenv("PYTHONSTARTUP", "x.py")
    reason = why(child("sys.exit(' '.join(sorted(os.environ)))"))
    assert set(reason.split()) <= {
        *("PATH", "PYTHONTZPATH", "PYTHONPATH", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE"),
        "LC_CTYPE",  # which the interpreter sets itself
    }


def test_the_request_has_the_folder_of_the_log(tmp_path: Path) -> None:
    school = JudgedSchool(tmp_path, *_fresh(tmp_path), tmp_path / "log", {"2026-11-29": 5})
    in_force = ServedFiles(tmp_path / "index", tmp_path / "policy")
    request: dict[str, Any] = request_of(Candidate(VERSION, tmp_path), in_force, school, NOW)
    assert (request["log"], request["passed"]) == (str(tmp_path / "log"), {"2026-11-29": 5})
    assert json.loads(json.dumps(request)) == request
    assert (request["now"], request["version"]) == (NOW, VERSION)


def test_the_request_has_the_folders_of_all_lists(tmp_path: Path) -> None:
    """Lists beside a feed are judged with the feed that they stand beside."""
    school, version = JudgedSchool(tmp_path, *_fresh(tmp_path)), tmp_path / "web-7"
    beside = Blocklists(tmp_path / "7", "7", Blocklists(version, "web-7"))
    candidate = Candidate("web-7", version)
    for given, asked in ((beside, beside), (None, Blocklists(version, "web-7"))):
        request = request_of(candidate, None, replace(school, blocklists=given), NOW)
        assert blocklists_from(request["blocklists"]) == asked


def test_a_publisher_has_no_log(tmp_path: Path) -> None:
    school = JudgedSchool(tmp_path, *_fresh(tmp_path))
    request = request_of(Candidate(VERSION, tmp_path), None, school, NOW)
    assert request["log"] is None
    assert request["in_force"] is None


@pytest.mark.long
def test_a_version_with_too_many_names_for_the_machine_may_come_another_time(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.base.process_memory.group_octets", lambda: 200_000_000)
    lines = (f"name-{n}.example" for n in range(1_300_000))
    candidate = following.prepare(add(GAMBLING, *lines))
    reason = judge(candidate, following.in_force, following.school, clock=FakeClock(NOW))
    [only] = reason.findings
    assert only.kind == SCHOOL
    assert "this machine has memory for" in str(only.sentence)


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Following:
    return Following(tmp_path_factory.mktemp("school"), POPULAR)


def test_the_real_child_has_the_findings_of_this_process(
    following: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the working directory does not stand in for a module of the child's."""
    (tmp_path / "json.py").write_text("raise SystemExit('not json')\n")
    monkeypatch.chdir(tmp_path)
    expected = following.judge(BROKEN["popular names"])
    candidate = following.prepare(BROKEN["popular names"])
    reason = judge(candidate, following.in_force, following.school, clock=FakeClock(NOW))
    assert reason.findings == expected.findings
    assert (reason.index, reason.checks) == (expected.index, expected.checks)
    assert 20 << 20 < reason.peak_octets < 300 << 20
    assert 0 < reason.seconds < 60
