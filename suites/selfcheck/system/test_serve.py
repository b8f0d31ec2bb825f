"""``--serve``: the target is started, judged, and ended with all its children."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.errors import SetupError
from fixtures.secrets import Vault
from suites.runner.serve import LOG, Served, words_of
from suites.runner.supervisor import GRACE
from suites.selfcheck.system.runs import ROOT, Finished, command, environment, suite
from suites.selfcheck.system.tools import free_port

pytestmark = [pytest.mark.xdist_group("serve")]

OWNER = "9c1de5b0a7f24368be31d0c94f7a6e52"
KEY = "5d0c77e1b94a2f6380b1cd57e49af263"
_USAGE = 4
_UNREACHABLE = 6

#: Answers as many requests as it is told, each with KEY, and prints that key, its environment, and SIGTERM.
TARGET = f"""
import http.server, os, signal, sys
port, answers = int(sys.argv[1]), int(sys.argv[2])
print("environment:", " ".join(os.environ), flush=True)
def end(*_):
    print("SIGTERM", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        global answers
        if not answers:
            print("Traceback: out of answers", flush=True)
            os._exit(7)
        answers -= 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        print("::error:: the key is {KEY}", flush=True)
        body = b'{{"success": true, "value": "{KEY}"}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

#: Ignores SIGTERM if told so, and has a child that has left its process group and its parent.
PARENT = """
import os, signal, subprocess, sys, time
def end(*_):
    print("SIGTERM", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[2] == "stubborn" else end)
code = "import os, sys, time; os.fork() and os._exit(0); os.setsid(); "
code += "open(sys.argv[1] + '.new', 'w').write(str(os.getpid())); os.rename(sys.argv[1] + '.new', sys.argv[1]); time.sleep(300)"
subprocess.run([sys.executable, "-c", code, sys.argv[1]])
near = subprocess.Popen(["sleep", "300"])
print("pids:", os.getpid(), near.pid, flush=True)
open(sys.argv[1] + "-near", "w").write(f"{os.getpid()} {near.pid}")
time.sleep(300)
"""


@pytest.fixture
def port() -> int:
    """A port on which nobody listens."""
    return free_port()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A target that is made up for these tests."""
    path = tmp_path / "target.py"
    path.write_text(TARGET, encoding="utf-8")
    return path


def words(*parts: object) -> str:
    """A command of these words."""
    return shlex.join([sys.executable, *map(str, parts)])


def serve(tmp_path: Path, port: int, line: str, *more: object, env: dict[str, str] | None = None) -> Finished:
    """A run that serves *line* as its target."""
    url = f"http://127.0.0.1:{port}/v2"
    return suite("--base-url", url, "--serve", line, *more, folder=tmp_path / "report", env=env)


def is_there(process: int) -> bool:
    """Whether the process runs: one that has ended and was not collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


# ---------------------------------------------------------------------- a run


def test_the_target_is_started_judged_and_ended(tmp_path: Path, port: int) -> None:
    target = tmp_path / "target.toml"
    target.write_text(f'[provider_states]\nurl = "http://127.0.0.1:{port}/_states"\n', encoding="utf-8")
    line = words("-m", "fixtures.emulator", "--port", port)
    done = serve(tmp_path, port, line, "--target", target, "--requirement", "S1")
    assert done.code == 0, done.output
    assert done.requirement("S1-success-is-200")["result"] == "passed"
    assert f"Base URL: http://127.0.0.1:{port}/v2" in (done.folder / LOG).read_text(encoding="utf-8")
    assert not is_listening(port)


def test_its_output_is_redacted_and_it_knows_no_credentials(tmp_path: Path, port: int, program: Path) -> None:
    env = {"DELIVERY_OWNER_HASH": OWNER, "OTHER": "x"}
    done = serve(tmp_path, port, words(program, port, -1), "--requirement", "S1", env=env)
    log = (done.folder / LOG).read_text(encoding="utf-8")
    seen = log.partition("environment: ")[2].partition("\n")[0].split()
    assert "OTHER" in seen
    assert not [name for name in seen if name.startswith("DELIVERY_")]
    assert "the key is «" in log
    assert KEY not in log
    assert log.endswith("SIGTERM\n")


#: An emulator whose errors hold all that the request held, and which prints that, too.
SHOWS = """
import sys
from fixtures.emulator.core import Emulator
from fixtures.emulator.server import bind, serve
class Shows(Emulator):
    def error_payload(self, call, error):
        payload = super().error_payload(call, error)
        payload["status"]["description"] = str(dict(call.request.headers))
        return payload
    async def __call__(self, scope, receive, send):
        print(scope["query_string"], scope["headers"], flush=True)
        await super().__call__(scope, receive, send)
serve(Shows(), bind("127.0.0.1", int(sys.argv[1])), ready=lambda: None, signals=True)
"""
SECRETS = ("gatewaySecret55", "cookieSecret88", "hookHeaderSecret77", "hookQuerySecret99", "serveArgument33")


@pytest.mark.slow
def test_what_opens_a_gateway_or_the_hook_is_in_no_output(tmp_path: Path, port: int) -> None:
    program, target = tmp_path / "shows.py", tmp_path / "target.toml"
    program.write_text(SHOWS, encoding="utf-8")
    target.write_text(
        f"""
base_url = "http://127.0.0.1:{port}/v2"
[http]
headers = {{ X-Gateway = "gatewaySecret55", Cookie = "theme=dark; sid=cookieSecret88" }}
[provider_states]
url = "http://127.0.0.1:{port}/_states?token=hookQuerySecret99"
headers = {{ X-Hook = "hookHeaderSecret77" }}
""",
        encoding="utf-8",
    )
    record = tmp_path / "history.json"
    line = words(program, port, "--password", "serveArgument33")
    asked = ["--target", target, "--serve", line, "--record", record, "--requirement", "A2", "--requirement", "E1"]
    done = suite(*asked, folder=tmp_path / "report", env={"PYTHONPATH": str(ROOT)})
    assert done.code == 0, done.output
    # It did show them: where one stood, its name stands.
    log = (done.folder / "target.log").read_text(encoding="utf-8")
    for name in ("X-Gateway of http.headers", "X-Hook of provider_states.headers", "token of the hook's address"):
        assert f"«{name}»" in log
    written = [each for each in (*done.folder.rglob("*"), record) if each.is_file()]
    assert len(written) > 10
    for text in (done.output, *(each.read_text(encoding="utf-8", errors="replace") for each in written)):
        assert [each for each in SECRETS if each in text] == []
    options = json.loads(record.read_text(encoding="utf-8"))["run"]["options"]
    assert options[options.index("--serve") + 1] == f"{Path(sys.executable).name} …"


def test_it_dies_before_it_answers(tmp_path: Path, port: int) -> None:
    program = tmp_path / "broken.py"
    program.write_text(
        "print('::error::reading config')\nraise SystemExit('no config: /etc/thing')\n", encoding="utf-8"
    )
    # Longer than a self-check has patience for: it is not waited for what has ended.
    done = serve(tmp_path, port, words(program), "--requirement", "S1", "--wait", "600")
    assert done.code == _UNREACHABLE, done.output
    assert "the command of --serve ended with exit code 1 before it had answered" in done.output
    assert "  | no config: /etc/thing" in done.output
    assert "\n::error::" not in done.output
    reports = "".join((done.folder / name).read_text() for name in ("conformance.json", "conformance.md"))
    assert "/etc/thing" not in reports


#: An emulator that is the hook, too, and ends after so many calls.
DIES = """
import os, sys
from fixtures.emulator.core import Emulator
from fixtures.emulator.server import bind, serve
class Dies(Emulator):
    left = int(sys.argv[2])
    async def answer(self, call):
        if not self.left:
            print("fatal: database gone", flush=True)
            os._exit(7)
        self.left -= 1
        return await super().answer(call)
serve(Dies(), bind("127.0.0.1", int(sys.argv[1])), ready=lambda: None, signals=True)
"""


@pytest.mark.parametrize("answers", [3, 120, 265])
def test_it_dies_with_its_hook(answers: int, tmp_path: Path, port: int) -> None:
    # The third dies among concurrent calls.
    program, target = tmp_path / "dies.py", tmp_path / "target.toml"
    program.write_text(DIES, encoding="utf-8")
    target.write_text(f'[provider_states]\nurl = "http://127.0.0.1:{port}/_states"\n', encoding="utf-8")
    env = {"PYTHONPATH": str(ROOT)}
    done = serve(tmp_path, port, words(program, port, answers), "--target", target, env=env)
    assert done.code == _UNREACHABLE, done.output
    assert "note: the command of --serve ended with exit code 7; its last lines" in done.output
    assert "  | fatal: database gone" in done.output
    report = json.loads((done.folder / "conformance.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "unreachable"
    assert {each["result"] for each in report["requirements"]} <= {"passed", "not_verified", "blocked"}


def test_it_listens_elsewhere(tmp_path: Path, port: int, program: Path) -> None:
    elsewhere = free_port()
    done = serve(tmp_path, port, words(program, elsewhere, -1), "--requirement", "S1", "--wait", "1")
    assert done.code == _UNREACHABLE, done.output
    said = " ".join(done.output.split())
    assert f"the command of --serve runs, and nothing answered at http://127.0.0.1:{port}/v2 within 1 s" in said
    assert "to do: see that it listens at that address" in said
    assert "note: the command of --serve runs; its last lines" in said
    assert "  | environment: " in done.output


def test_it_dies_under_way(tmp_path: Path, port: int, program: Path) -> None:
    env = {"DELIVERY_OWNER_HASH": OWNER}
    done = serve(tmp_path, port, words(program, port, 3), "--requirement", "S1", env=env)
    assert "note: the command of --serve ended with exit code 7; its last lines" in done.output
    assert "  | Traceback: out of answers" in done.output
    assert KEY not in done.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_suite(number: signal.Signals, tmp_path: Path, port: int) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT, encoding="utf-8")
    arguments = ["--base-url", f"http://127.0.0.1:{port}/v2", "--serve", words(program, tmp_path / "pid", "plain")]
    with subprocess.Popen(
        command(*arguments, "--report-dir", tmp_path / "report"),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        processes = started(tmp_path)
        run.send_signal(number)
        assert run.wait(90) == (2 if number != signal.SIGKILL else -signal.SIGKILL)
    assert all_gone(processes)


# ---------------------------------------------------------------------- how it is ended


def started(folder: Path) -> list[int]:
    """The processes of PARENT, once they are there."""
    deadline = time.monotonic() + 90
    while not (folder / "pid-near").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.1)
    return [int(each) for name in ("pid", "pid-near") for each in (folder / name).read_text().split()]


def all_gone(processes: list[int]) -> bool:
    """Whether they end within a few seconds."""
    deadline = time.monotonic() + 60
    while any(map(is_there, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = [each for each in processes if is_there(each)]
    for each in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return not left


@pytest.mark.parametrize("manner", ["plain", "stubborn"])
def test_all_its_children_end(manner: str, tmp_path: Path, port: int) -> None:
    (tmp_path / "parent.py").write_text(PARENT, encoding="utf-8")
    served = Served((sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "pid"), manner), tmp_path, Vault())
    served.start(f"http://127.0.0.1:{port}/v2")
    processes = started(tmp_path)
    assert len(processes) == 3
    assert all(map(is_there, processes))
    assert served.death() is None
    begun = time.monotonic()
    served.stop()
    if manner == "stubborn":
        assert time.monotonic() - begun > GRACE - 0.5
    assert ("SIGTERM" in (tmp_path / LOG).read_text(encoding="utf-8")) == (manner == "plain")
    assert not [each for each in processes if is_there(each)]
    served.stop()


def test_a_command_that_leaves_its_target_in_the_background(tmp_path: Path, port: int, program: Path) -> None:
    line = f"{sys.executable} {program} {port} -1 & sleep 0.2"
    served = Served(("sh", "-c", line), tmp_path, Vault())
    served.start(f"http://127.0.0.1:{port}/v2")
    time.sleep(1)
    assert served.death() is None
    served.stop()
    assert not is_listening(port)


# ---------------------------------------------------------------------- what a user gets wrong


def test_the_command_is_split_without_a_shell() -> None:
    assert words_of("./run 'two words' $HOME *", "http://127.0.0.1/v2") == ("./run", "two words", "$HOME", "*")
    assert words_of(None, None) is None


@pytest.mark.parametrize(
    ("line", "url", "says"),
    [
        ("'", "http://127.0.0.1/v2", "cannot be split into words"),
        (" ", "http://127.0.0.1/v2", "--serve is empty"),
        ("./run", None, "needs a base URL"),
    ],
)
def test_a_command_that_is_none(line: str, url: str | None, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        words_of(line, url)


def test_a_command_that_is_not_there(tmp_path: Path, port: int) -> None:
    done = serve(tmp_path, port, "./nosuch --port 1")
    assert done.code == _USAGE
    assert "--serve: './nosuch' cannot be started: No such file or directory" in done.output
    assert "Traceback" not in done.output


def test_it_has_ended_before_anybody_listens(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # The supervisor says both in one go, as it may seem to on a machine with much else to do.
    both = tmp_path / "both.py"
    both.write_text("import os, sys\nos.write(int(sys.argv[1]), b'started\\nended 3\\n')\n", encoding="utf-8")
    monkeypatch.setattr("suites.runner.serve._SUPERVISOR", both)
    served = Served(("true",), tmp_path, Vault())
    served.start(f"http://127.0.0.1:{port}/v2")
    assert served.death() == "ended with exit code 3"
    served.stop()


def test_something_else_answers_already(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        done = serve(tmp_path, port, "sleep 100")
    assert done.code == _USAGE
    assert f"something answers at http://127.0.0.1:{port}/v2 already" in done.output


def test_without_a_base_url_nothing_is_started(tmp_path: Path) -> None:
    made = tmp_path / "made"
    done = suite("--serve", f"touch {made}", folder=tmp_path / "report")
    assert done.code == _USAGE
    assert "--serve needs a base URL" in done.output
    assert not made.exists()
