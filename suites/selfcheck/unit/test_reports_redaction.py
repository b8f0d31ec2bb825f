"""The second layer: streams, log records and files that name secrets instead of showing them."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.capture import CaptureManager, TeeCaptureIO
from _pytest.junitxml import LogXML, xml_key
from _pytest.outcomes import Exit
from allure_commons import model2
from pluggy._tracing import TagTracer

from fixtures.secrets import Vault
from reports.allure.writer import Book, RedactingWriter
from reports.redaction import libraries
from reports.redaction.check import _shows, check
from reports.redaction.files import mask_tree, masked, sweep
from reports.redaction.harmless import Harmless
from reports.redaction.libraries import redact_streams, redact_trace
from reports.redaction.streams import RedactingBuffer, RedactingStream, redact_logging
from suites.runner import console
from suites.selfcheck.system.runs import suite

SECRET = "5f4dcc3b5aa765d61d8327deb882cf99"


@pytest.fixture
def vault() -> Vault:
    known = Vault()
    known.add(SECRET, "owner")
    return known


class Bytes(io.TextIOWrapper):
    """A stream as the standard ones are: text above bytes."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def raw_bytes(self) -> bytes:
        """What was written, as it is."""
        self.flush()
        below: Any = self.buffer
        return bytes(below.getvalue())

    @property
    def written(self) -> str:
        return self.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined,no-any-return]


def test_a_stream_names_secrets_however_it_is_written_to(vault: Vault) -> None:
    below = Bytes()
    stream = RedactingStream(below, vault)
    assert stream.write(f"a {SECRET}\n") == 35
    stream.writelines([f"b {SECRET.upper()}", "\n"])
    data = f"c {SECRET}\n".encode()
    assert stream.buffer.write(data) == len(data)
    print("d", SECRET, file=stream)
    stream.flush()
    assert vault.find(below.written) == []
    for letter in "abd":
        assert f"{letter} «owner»\n" in below.written
    assert "c «owner»\n".encode("latin-1") in below.raw_bytes
    assert stream.buffer.seekable() is below.buffer.seekable()
    assert stream.encoding == "utf-8"


@pytest.mark.parametrize("problem", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")])
def test_a_stream_that_nobody_reads_is_forgiven(vault: Vault, problem: OSError, tmp_path: Path) -> None:
    """The run goes on, and what is held back does not come up again at its end."""

    class Broken(io.FileIO):
        def write(self, data: object) -> int:
            raise problem

    file = (tmp_path / "terminal").open("w", encoding="utf-8")
    broken = io.TextIOWrapper(Broken(file.fileno(), "w", closefd=False), encoding="utf-8", write_through=True)
    stream = RedactingStream(broken, vault)
    assert stream.write("a\n") == 2
    stream.buffer.write(b"b\n")
    stream.flush()
    file.write("c\n")
    file.flush()
    assert (tmp_path / "terminal").read_text(encoding="utf-8") == ""


def streams(monkeypatch: pytest.MonkeyPatch) -> tuple[Bytes, Bytes]:
    """Streams in the place of the standard ones. No fixture: pytest puts its own in place for each phase of a test."""
    replaced = Bytes(), Bytes()
    monkeypatch.setattr(sys, "stdout", replaced[0])
    monkeypatch.setattr(sys, "stderr", replaced[1])
    return replaced


def test_streams_are_redacted_once_and_by_the_latest_run(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    below = streams(monkeypatch)
    redact_streams(Vault(), None)
    redact_streams(vault, None)
    print(SECRET)
    print(SECRET, file=sys.stderr)
    assert [stream.written for stream in below] == ["«owner»\n", "«owner»\n"]
    assert isinstance(sys.stdout, RedactingStream)
    assert sys.stdout.below is below[0]


@pytest.mark.parametrize("method", ["fd", "sys", "tee-sys"])
def test_what_pytests_capture_puts_back_or_copies_to_is_redacted(
    method: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    """With the real one: what is captured is read by pytest, what goes past it is redacted."""
    below = streams(monkeypatch)
    capture: Any = CaptureManager(method)  # type: ignore[arg-type]
    capture.start_global_capturing()
    try:
        redact_streams(vault, capture)
        print(f"captured {SECRET}")
        capture.suspend_global_capture()
        print(f"past {SECRET}")
        print(f"past {SECRET}", file=sys.stderr)
        capture.resume_global_capture()
    finally:
        capture.stop_global_capturing()
    assert "past «owner»" in below[0].written
    assert "past «owner»" in below[1].written
    assert vault.find(below[0].written) == []


def test_log_records_are_redacted_where_they_are_made(vault: Vault) -> None:
    undo = redact_logging(vault)
    below = Bytes()
    handler = logging.StreamHandler(below)
    log = logging.getLogger("redaction")
    log.addHandler(handler)
    log.propagate = False
    try:
        log.error("as an argument %s and %r", SECRET, {"hash": SECRET})
        log.error("by name %(hash)s", {"hash": SECRET})
        log.error("too few %s %s", SECRET)
        try:
            raise ValueError(SECRET)
        except ValueError:
            log.exception("with its trace")
    finally:
        log.removeHandler(handler)
        undo()
    assert vault.find(below.written) == []
    assert below.written.count("«owner»") == 4
    assert "too few %s %s" in below.written
    assert "ValueError: «owner»" in below.written
    assert logging.getLogRecordFactory() is logging.LogRecord


def test_the_trace_of_pytest_is_redacted(vault: Vault) -> None:
    written: list[str] = []
    tracer = SimpleNamespace(_writer=written.append)
    tracer.setwriter = lambda writer: setattr(tracer, "_writer", writer)
    redact_trace(vault, tracer)
    tracer._writer(f"call {SECRET}")
    assert written == ["call «owner»"]
    redact_trace(vault, SimpleNamespace(_writer=None))
    with pytest.raises(AttributeError):
        redact_trace(vault, SimpleNamespace())


def test_bytes_that_are_no_text_are_swept(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "b.bin").write_bytes(b"\xff" + SECRET.encode() + b"\x00")
    assert sweep(tmp_path, vault) == 1
    assert (tmp_path / "b.bin").read_bytes() == b"\xff" + "«owner»".encode("latin-1") + b"\x00"
    assert sweep(tmp_path / "none", vault) == 0


# ---------------------------------------------------------------------- what is swept keeps its form

_MARKUP = '</testcase><a b1="'


def test_a_secret_that_is_markup_breaks_no_document(tmp_path: Path) -> None:
    """Masked value by value: a target gave a key that is made of what the file itself is made of."""
    vault = Vault()
    for number, key in enumerate((_MARKUP, '": true, "x1": "', "testcase name=1", SECRET), 1):
        vault.hide(key, f"key {number} of owner")
    root = ET.Element("testsuites")
    case = ET.SubElement(root, "testcase", name=f"a {SECRET}", classname="b")
    case.text = f"{_MARKUP} and {SECRET}"
    (tmp_path / "junit.xml").write_bytes(ET.tostring(root))
    data = {"success": True, "x1": '": true, "x1": "', SECRET: [SECRET, 1, None]}
    (tmp_path / "a.json").write_text(json.dumps(data), encoding="utf-8")
    assert sweep(tmp_path, vault) == 2
    read = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314
    assert [each.tag for each in read] == ["testcase"]
    assert read[0].text == "«key 1 of owner» and «key 4 of owner»"
    assert read[0].get("name") == "a «key 4 of owner»"
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "success": True,
        "x1": "«key 2 of owner»",
        "«key 4 of owner»": ["«key 4 of owner»", 1, None],
    }
    assert sweep(tmp_path, vault) == 0


def test_what_is_no_document_is_swept_as_text(tmp_path: Path, vault: Vault) -> None:
    for name in ("a.xml", "b.json"):
        (tmp_path / name).write_text(f"<{SECRET}", encoding="utf-8")
    assert sweep(tmp_path, vault) == 2
    assert (tmp_path / "a.xml").read_text(encoding="utf-8") == "<«owner»"


def test_data_is_masked_but_for_the_suites_own_words(vault: Vault) -> None:
    data = {"id": SECRET, "message": SECRET, "list": (SECRET, 1)}
    assert masked(data, vault, ["id"]) == {"id": SECRET, "message": "«owner»", "list": ["«owner»", 1]}


# ---------------------------------------------------------------------- terminals and logs of CI jobs


def _written(*pieces: str) -> str:
    harmless = Harmless()
    return "".join(harmless(piece) for piece in pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        ("::error::x",),
        ("a\n::error::x",),
        ("a\r\n  \t::stop-commands::x",),
        ("a\n", "  ", "::set-output name=a::b"),
        ("a\n", ":", ":error::x"),
        ("a\n ", ":", "", ":error::x"),
        ("x ##[error]y",),
        ("##vso[task.setvariable]y",),
        ("##", "[command]y"),
        ("#", "#", "vso[y"),
        ("##v", "so[y"),
        ("##teamcity[message]",),
    ],
)
def test_no_command_reaches_a_job(pieces: tuple[str, ...]) -> None:
    written = _written(*pieces)
    assert not re.search(r"(?m)^\s*::", written)
    assert not re.search(r"##(\[|vso\[|teamcity\[)", written)
    assert written.replace(" ", "") == "".join(pieces).replace(" ", "")


def test_sections_of_a_job_are_not_ended() -> None:
    assert "section_end:1" not in _written("section_end:1:x")


@pytest.mark.parametrize(
    "text", ["suites/a.py::test_b PASSED", "a :: b", "# # [x]", "## heading", "x: y", "\x1b[31mred\x1b[0m"]
)
def test_what_is_no_command_is_left(text: str) -> None:
    assert _written(text) == text
    assert _written(*text) == text


@pytest.mark.parametrize("code", [0x202E, 0x2066, 0x200F, 0x061C, 0xD800, 0xDFFF])
def test_no_character_turns_the_text_round(code: int) -> None:
    assert _written(f"a{chr(code)}b") == f"a\\u{code:04x}b"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_a_terminal_of_any_encoding_is_written_to(encoding: str, vault: Vault) -> None:
    below = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    stream = RedactingStream(below, vault)
    stream.write(f"a {SECRET} \ud800 \u20ac \U0001f600\n")
    below.seek(0)
    written = below.buffer.read().decode(encoding)
    assert written.endswith("\n")
    assert SECRET not in written
    assert "owner" in written


# ---------------------------------------------------------------------- the start-up check


def _checked(
    monkeypatch: pytest.MonkeyPatch,
    vault: Vault,
    *,
    allure: str | None = None,
    plugin: bool = False,
    tracer: TagTracer | None = None,
    reporter: object = None,
) -> set[str]:
    """The ways out that the check objects to, in a run whose streams are redacted, with neither reporter nor captured streams."""
    streams(monkeypatch)
    config: Any = SimpleNamespace(
        trace=SimpleNamespace(root=tracer or TagTracer()),
        pluginmanager=SimpleNamespace(
            get_plugin={"terminalreporter": reporter}.get, hasplugin=lambda name: plugin and name == "allure_pytest"
        ),
        getoption=lambda name, **_: allure if name == "allure_report_dir" else None,
    )
    undo = redact_logging(vault)
    try:
        redact_streams(vault, None)
        problem = check(config, vault)
    finally:
        undo()
    if problem is None:
        return set()
    assert "\n" not in problem
    return set(problem.removeprefix("secrets would not be masked in ").partition(" with pytest ")[0].split(", "))


def test_the_start_up_check_finds_nothing_to_object_to(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    assert _checked(monkeypatch, vault) == set()
    assert list(vault.values()) == [SECRET], "what was planted is nothing to judge by"


def _does_nothing(*_: object) -> None:
    """In the place of what redacts."""


def _writes(stream: Any, text: str) -> int:
    return int(stream.below.write(text))


def _breaks(*_: object) -> None:
    raise AttributeError("a name that is gone")


_BREAKS: dict[str, tuple[str, Any]] = {
    "a stream": ("reports.redaction.streams.RedactingStream.write", _writes),
    "standard output": ("reports.redaction.libraries.captures", _breaks),
    "pytest's trace": ("reports.redaction.libraries.redact_trace", _does_nothing),
    "junit.xml": ("reports.redaction.libraries.redact_junit", _does_nothing),
    "pytest's reports": ("reports.redaction.check.redact_report", _does_nothing),
    "Allure's files": ("reports.allure.writer.masked", lambda data, *_: data),
}


@pytest.mark.parametrize("way", _BREAKS)
def test_each_way_out_is_checked(way: str, monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    """Taken away one at a time, as a new version of a library would."""
    place, instead = _BREAKS[way]
    if way == "standard output":
        # Only the check is to come across it.
        monkeypatch.setattr("suites.selfcheck.unit.test_reports_redaction.redact_streams", _wrap_streams)
    monkeypatch.setattr(place, instead)
    assert _checked(monkeypatch, vault) == {way}


def _wrap_streams(vault: Vault, capture: Any) -> None:
    sys.stdout = RedactingStream(sys.stdout, vault)
    sys.stderr = RedactingStream(sys.stderr, vault)


class _WritesNothing:
    """What Allure's writers are called by, and redact nothing."""

    def report_result(self, result: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("writers", "plugin", "begins"),
    [
        ("redacting", True, True),
        ("redacting and another", True, False),
        ("another", True, False),
        ("", True, False),
        ("", False, True),
    ],
)
def test_a_writer_of_allure_that_does_not_redact_is_noticed(
    writers: str, plugin: bool, begins: bool, monkeypatch: pytest.MonkeyPatch, vault: Vault, tmp_path: Path
) -> None:
    made: list[object] = [object()]
    if "redacting" in writers:
        made.append(RedactingWriter(str(tmp_path), book=Book(vault)))
    if "another" in writers:
        made.append(_WritesNothing())
    monkeypatch.setattr("allure_commons.plugin_manager.get_plugins", lambda: made)
    assert (
        _checked(monkeypatch, vault, allure="results" if plugin or not writers else None, plugin=plugin) == set()
    ) is begins


def test_without_allure_its_writers_do_not_matter(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr("allure_commons.plugin_manager.get_plugins", lambda: [_WritesNothing()])
    assert _checked(monkeypatch, vault) == set()


@pytest.mark.parametrize("method", ["report_result", "report_attached_data"])
def test_a_writer_that_writes_nothing_is_noticed(method: str, monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr(RedactingWriter, method, lambda *_: None)
    assert _checked(monkeypatch, vault) == {"Allure's files"}


def test_a_writer_that_writes_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    """That what was planted is nowhere to be seen is no proof that it was masked."""
    monkeypatch.setattr(RedactingWriter, "_write", lambda writer, name, _: (writer._folder / name).write_text("{}"))
    assert _checked(monkeypatch, vault) == {"Allure's files"}


def test_all_of_a_result_but_its_own_numbers_is_masked(vault: Vault, tmp_path: Path) -> None:
    """By a result that no test of the suite has shaped, each member of which shows a secret."""
    shown = f"planted {SECRET}"
    step = model2.TestStepResult(
        name=shown, attachments=[model2.Attachment(name=shown, source="x.txt", type="text/plain")]
    )
    step.steps = [model2.TestStepResult(name=shown, parameters=[model2.Parameter(name=shown, value=shown)])]
    result = model2.TestResult(
        uuid="0" * 32, name=shown, fullName=shown, description=shown, descriptionHtml=shown, steps=[step]
    )
    result.statusDetails = model2.StatusDetails(message=shown, trace=shown, known=False)
    result.labels, result.links = [model2.Label(shown, shown)], [model2.Link("link", shown, shown)]
    result.titlePath, result.parameters, result.start = [shown], [model2.Parameter(shown, shown)], 5
    writer = RedactingWriter(str(tmp_path), book=Book(vault))
    writer.report_result(result)
    writer.report_container(model2.TestResultContainer(uuid="1", befores=[model2.TestBeforeResult(name=shown)]))
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()]
    assert [SECRET in text for text in texts] == [False, False]
    assert sorted(text.count("planted «owner»") for text in texts) == [1, 18]
    written = json.loads(max(texts, key=len))
    assert (written["uuid"], written["start"], written["statusDetails"]["known"]) == ("0" * 32, 5, False)
    assert "status" not in written


def test_a_junit_report_that_has_nothing_of_a_failure_is_noticed(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr("_pytest.junitxml.LogXML.pytest_runtest_logreport", _does_nothing)
    assert _checked(monkeypatch, vault) == {"junit.xml"}


def test_one_text_of_several_that_shows_it_is_enough() -> None:
    assert _shows(lambda: iter(["masked", "planted-1", "masked"]), "planted-1")
    assert not _shows(lambda: iter(["masked", "masked"]), "planted-1")
    assert _shows(lambda: iter([1]), "planted-1")  # type: ignore[list-item]


def test_what_capture_hands_on_to_is_looked_at(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    """With ``--capture=tee-sys`` what is captured is written on at once."""
    ways: list[tuple[Any, bool]] = [(io.StringIO(), False), (RedactingStream(io.StringIO(), vault), True)]
    for beside, begins in ways:
        captured = SimpleNamespace(_old=RedactingStream(io.StringIO(), vault), tmpfile=TeeCaptureIO(beside))
        monkeypatch.setattr("reports.redaction.libraries.captures", lambda _, captured=captured: [captured])
        monkeypatch.setattr("suites.selfcheck.unit.test_reports_redaction.redact_streams", _wrap_streams)
        assert (_checked(monkeypatch, vault) == set()) is begins


def test_a_reporter_that_writes_past_the_redaction_is_noticed(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    written = io.StringIO()
    for file, begins in ((written, False), (RedactingStream(written, vault), True)):
        reporter = SimpleNamespace(_tw=SimpleNamespace(_file=file))
        assert (_checked(monkeypatch, vault, reporter=reporter) == set()) is begins


def test_bytes_that_go_past_the_redaction_are_noticed(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr(RedactingBuffer, "write", lambda buffer, data: buffer._stream.write(data))
    assert _checked(monkeypatch, vault) == {"a stream"}


def test_properties_of_junit_are_looked_at(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    redact = libraries.redact_junit

    def all_but_properties(xml: LogXML, known: Vault) -> None:
        before = [[value for _, value in each.properties] for each in xml.node_reporters_ordered]
        redact(xml, known)
        for reporter, values in zip(xml.node_reporters_ordered, before, strict=True):
            for node, value in zip(reporter.to_xml().iter("property"), values, strict=True):
                node.set("value", value)

    monkeypatch.setattr(libraries, "redact_junit", all_but_properties)
    assert _checked(monkeypatch, vault) == {"junit.xml"}


def test_a_trace_that_goes_nowhere_is_noticed(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr("reports.redaction.libraries.redact_trace", lambda _, tracer: tracer.setwriter(None))
    assert _checked(monkeypatch, vault) == {"pytest's trace"}


def test_the_trace_is_as_it_was_after_the_check(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    tracer, seen = TagTracer(), list[str]()
    tracer.setwriter(seen.append)
    assert _checked(monkeypatch, vault, tracer=tracer) == set()
    tracer.get("a")("traced")
    assert any("traced" in line for line in seen)


def test_logging_is_checked(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    monkeypatch.setattr("suites.selfcheck.unit.test_reports_redaction.redact_logging", lambda _: lambda: None)
    assert _checked(monkeypatch, vault) == {"logging"}


_SOURCE = Path(libraries.__file__).read_text(encoding="utf-8")
#: What of pytest's insides redaction reaches for; the first two are the module's own.
_PRIVATE = sorted(set(re.findall(r"\.(_[a-z]\w*)", _SOURCE)) - {"_config", "_vault"})


@pytest.mark.parametrize("name", sorted({*_PRIVATE} - {"_cachedir"}))
@pytest.mark.parametrize("capturing", ["fd", "tee-sys"])
def test_a_private_name_that_is_gone_is_noticed(
    name: str, capturing: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    """As in a version of pytest that has renamed it; a run with what there is today begins."""
    if name == "_other" and capturing == "fd":
        pytest.skip("nothing is copied")
    assert _refusal(capturing, vault, monkeypatch) is None
    renamed: dict[str, Any] = {"__name__": libraries.__name__}
    exec(compile(re.sub(rf"\.{name}\b", f".{name}_before", _SOURCE), libraries.__file__, "exec"), renamed)  # noqa: S102
    for each in ("redact_terminal", "redact_streams", "captures", "redact_trace", "redact_junit"):
        monkeypatch.setattr(libraries, each, renamed[each])
    refusal = _refusal(capturing, vault, monkeypatch)
    assert refusal is not None
    assert refusal.returncode == 3
    assert "secrets would not be masked in" in str(refusal)


def _refusal(capturing: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Exit | None:
    """How a run ends before it begins whose output pytest captures in this way; None where it begins."""
    streams(monkeypatch)
    capture: Any = CaptureManager(capturing)  # type: ignore[arg-type]
    reporter = SimpleNamespace(_tw=SimpleNamespace(_file=io.StringIO()))
    plugins = {"terminalreporter": reporter, "capturemanager": capture}
    cleanups: list[Any] = []
    config: Any = SimpleNamespace(
        trace=SimpleNamespace(root=TagTracer()),
        pluginmanager=SimpleNamespace(get_plugin=plugins.get, unregister=lambda _: None),
        getoption=lambda *_, **__: None,
        add_cleanup=cleanups.append,
    )
    capture.start_global_capturing()
    capture.suspend_global_capture()
    try:
        console.put_redaction_below(config, vault, reporter, capture)
    except Exit as error:
        return error
    finally:
        capture.stop_global_capturing()
        for each in cleanups:
            each()
    return None


def test_the_name_of_pytests_cache_is_asked_for_without_a_default() -> None:
    assert "_cachedir" in _PRIVATE
    config: Any = SimpleNamespace(cache=SimpleNamespace())
    with pytest.raises(AttributeError):
        libraries.cache_folder(config)


@pytest.mark.slow
def test_a_run_that_would_show_a_secret_does_not_begin(tmp_path: Path) -> None:
    """In one line, with the exit code of a suite that is broken."""
    (tmp_path / "renamed.py").write_text(
        "import reports.redaction.libraries as libraries\nlibraries.redact_junit = lambda xml, vault: None\n",
        encoding="utf-8",
    )
    done = suite("-p", "renamed", folder=tmp_path / "report", env={"PYTHONPATH": str(tmp_path)})
    assert done.code == 3, done.output
    (line,) = [each for each in done.output.splitlines() if each.strip()]
    assert "secrets would not be masked in junit.xml with pytest" in line


# ---------------------------------------------------------------------- which files are swept, and how


def test_what_is_swept_is_written_as_it_was(tmp_path: Path) -> None:
    vault = Vault()
    vault.add(SECRET, "ключ")
    (tmp_path / "a.json").write_text(f'{{"a": ["{SECRET}"]}}', encoding="utf-8")
    (tmp_path / "b.json").write_bytes(f'{{"a": "{SECRET} \xe9"}}'.encode("latin-1"))
    (tmp_path / "c.svg").write_text(f"<svg><text>{SECRET}</text></svg>", encoding="utf-8")
    (tmp_path / "d.xml").write_text("<a>nothing</a>", encoding="utf-8")
    (tmp_path / "e.txt").write_text(SECRET, encoding="utf-8")
    assert sweep(tmp_path, vault) == 4
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": [\n    "«ключ»"\n  ]\n}\n'
    assert json.loads((tmp_path / "b.json").read_text(encoding="latin-1")) == {"a": "«ключ» é"}
    assert (tmp_path / "c.svg").read_text(encoding="utf-8") == (
        '<?xml version="1.0" encoding="utf-8"?><svg><text>«ключ»</text></svg>'
    )
    assert (tmp_path / "d.xml").read_text(encoding="utf-8") == "<a>nothing</a>"
    assert (tmp_path / "e.txt").read_text(encoding="utf-8") == "«ключ»"


@pytest.mark.parametrize(("size", "swept"), [(32, True), (33, False)])
def test_large_files_are_nobodys_notes(
    size: int, swept: bool, tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.redaction.files._LARGEST", 32)
    (tmp_path / "a.txt").write_text(SECRET + " " * (size - 32), encoding="utf-8")
    assert sweep(tmp_path, vault) == int(swept)


@pytest.mark.parametrize(("since", "swept"), [(None, True), (0.25, True), (0.5, True), (0.75, False)])
def test_what_was_written_before_the_run_is_left(
    since: float | None, swept: bool, tmp_path: Path, vault: Vault
) -> None:
    (tmp_path / "a.txt").write_text(SECRET, encoding="utf-8")
    os.utime(tmp_path / "a.txt", (0.5, 0.5))
    assert (sweep(tmp_path, vault) if since is None else sweep(tmp_path, vault, since=since)) == int(swept)


def test_what_is_no_file_of_the_folder_is_left(tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link, a folder that others redact, a file that cannot be read; what comes after it is swept all the same."""
    folder = tmp_path / "report"
    for name in ("allure/inside", "x"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.txt").write_text(SECRET, encoding="utf-8")
    (tmp_path / "outside.txt").write_text(SECRET, encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "closed.txt").write_text(SECRET, encoding="utf-8")
    read = Path.read_bytes

    def reading(path: Path) -> bytes:
        if path.name == "closed.txt":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    assert sweep(folder, vault, leave_out=["allure"]) == 1
    assert (folder / "x" / "a.txt").read_text(encoding="utf-8") == "«owner»"
    for left in (folder / "allure" / "inside" / "a.txt", tmp_path / "outside.txt", folder / "closed.txt"):
        assert left.read_text(encoding="utf-8") == SECRET


def test_whether_a_tree_had_anything_to_mask(vault: Vault) -> None:
    for text, changed in (
        (f"<a>{SECRET}</a>", True),
        (f"<a><b/>{SECRET}</a>", True),
        (f"<a b='{SECRET}'/>", True),
        (f"<a>{SECRET}<b/></a>", True),
        ("<a b='c'>d<e/>f</a>", False),
    ):
        root = ET.fromstring(text)  # noqa: S314 - our own
        assert mask_tree(root, vault) is changed
        assert SECRET not in ET.tostring(root, encoding="unicode")


# ---------------------------------------------------------------------- what a stream is asked for besides


def test_a_name_that_bytes_cannot_show_is_spelled_in_question_marks() -> None:
    vault = Vault()
    vault.add(SECRET, "ключ")
    below = Bytes()
    RedactingStream(below, vault).buffer.write(SECRET.encode())
    assert below.raw_bytes == "«????»".encode("latin-1")


class _OnceBroken:
    """A stream on a file, whose first operation of one kind fails."""

    def __init__(self, file: Any, operation: str) -> None:
        self._file = file
        self._operation: str | None = operation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _fails(self, operation: str) -> None:
        if self._operation == operation:
            self._operation = None
            raise BrokenPipeError(32, "Broken pipe")

    def write(self, data: Any) -> int:
        self._fails("write")
        return int(self._file.write(data))

    def flush(self) -> None:
        self._fails("flush")
        self._file.flush()


@pytest.mark.parametrize("operation", ["write", "flush"])
def test_a_stream_that_broke_once_is_given_up(operation: str, vault: Vault, tmp_path: Path) -> None:
    """What is written later goes nowhere, and no file is left open."""
    with (tmp_path / "terminal").open("w", encoding="utf-8") as file:
        before = set(Path("/dev/fd").iterdir())
        stream = RedactingStream(_OnceBroken(file, operation), vault)  # type: ignore[arg-type]
        assert stream.write("a\n") == 2
        stream.flush()
        stream.write("b\n")
        stream.flush()
        assert set(Path("/dev/fd").iterdir()) == before
    assert (tmp_path / "terminal").read_text(encoding="utf-8") == ""


def test_bytes_that_broke_once_are_given_up(vault: Vault, tmp_path: Path) -> None:
    with (tmp_path / "terminal").open("wb") as file:
        buffer = RedactingBuffer(_OnceBroken(file, "write"), vault)  # type: ignore[arg-type]
        assert buffer.write(b"a\n") == 2
        buffer.write(b"b\n")
        buffer.flush()
    assert (tmp_path / "terminal").read_bytes() == b""


def test_what_a_stream_holds_back_is_written_when_it_is_asked_to(vault: Vault, tmp_path: Path) -> None:
    with (tmp_path / "terminal").open("w", encoding="utf-8") as file:
        stream = RedactingStream(file, vault)
        stream.write("a\n")
        stream.flush()
        assert (tmp_path / "terminal").read_text(encoding="utf-8") == "a\n"


def test_a_stack_in_a_log_record_is_redacted(vault: Vault) -> None:
    undo = redact_logging(vault)
    try:
        record = logging.getLogger("x").makeRecord("x", 20, "f", 1, "m", (), None, sinfo=f"Stack: {SECRET}")
    finally:
        undo()
    assert record.stack_info == "Stack: «owner»"


# ---------------------------------------------------------------------- JUnit


def _junit() -> LogXML:
    xml = LogXML("junit.xml", None)
    report = pytest.TestReport(f"a.py::test[{SECRET}]", ("a.py", 1, SECRET), {}, "failed", SECRET, "call")
    xml.pytest_runtest_logreport(report)
    xml.add_global_property("about", SECRET)
    return xml


def test_what_is_gathered_for_junit_is_masked_when_the_tests_are_over(vault: Vault) -> None:
    xml = _junit()
    config: Any = SimpleNamespace(stash=pytest.Stash())
    libraries.JunitRedaction(config, vault).pytest_sessionfinish()
    config.stash[xml_key] = xml
    libraries.JunitRedaction(config, vault).pytest_sessionfinish()
    assert xml.global_properties == [("about", "«owner»")]
    (reporter,) = xml.node_reporters_ordered
    written = ET.tostring(reporter.to_xml(), encoding="unicode")
    assert SECRET not in written
    assert "«owner»" in written


# ---------------------------------------------------------------------- commands, once more


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (("::a::b",), ": :a::b"),
        ((":", "x"), ":x"),
        ((":", ":x"), ": :x"),
        (("x" * 60 + "##", "vso[a]"), "x" * 60 + "## vso[a]"),
        ((" " * 60, "::set-env a"), " " * 60 + ": :set-env a"),
        (("x" * 60, "::set-env a"), "x" * 60 + "::set-env a"),
        (("x" * 20, "::set-env a"), "x" * 20 + "::set-env a"),
        (("x" * 60 + "\n", "::set-env a"), "x" * 60 + "\n: :set-env a"),
    ],
)  # fmt: skip
def test_what_a_job_is_shown(pieces: tuple[str, ...], shown: str) -> None:
    harmless = Harmless()
    assert "".join(map(harmless, pieces)) == shown


def test_little_is_remembered_of_a_line() -> None:
    harmless = Harmless()
    for _ in range(100):
        harmless("x" * 50)
    assert len(vars(harmless)["_line"]) <= 17


@pytest.mark.parametrize("binary", [False, True])
def test_what_a_stream_that_nobody_reads_still_holds_goes_nowhere(binary: bool, vault: Vault, tmp_path: Path) -> None:
    """Else the interpreter would write it at its end, and fail."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as raw:
        text = io.TextIOWrapper(raw, write_through=False)
        stream: Any = RedactingBuffer(raw, vault) if binary else RedactingStream(text, vault)
        raw.write(b"x")
        # More than is kept back is written at once, and nobody is there.
        stream.write(b"y" * 100_000 if binary else "y" * 100_000)
        if not binary:
            stream.flush()
        # What was kept is gone: there is nothing left to be written to whatever comes in the place of the stream.
        kept = tmp_path / "kept"
        with kept.open("wb") as instead:
            os.dup2(instead.fileno(), writing)
        if not binary:
            text.detach()
    assert kept.read_bytes() == b""
