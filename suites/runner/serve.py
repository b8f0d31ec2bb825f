"""``--serve``: the target is started for the run, its output kept, and ended after it."""

from __future__ import annotations

import os
import select
import shlex
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from fixtures.errors import SetupError
from fixtures.secrets import Vault
from reports.words import count, visible

#: Where the output of the target goes, below the report directory.
LOG = "target.log"
#: So many lines of it are shown where the target ends before its time.
_LAST = 5
#: At most so many bytes are kept of a line, and of all of them.
_LONGEST_LINE = 65_536
_LARGEST_LOG = 10_000_000
#: Seconds for the supervisor to start, to end the target beyond its grace, and for output that is on its way.
_START, _END, _PATIENCE = 10.0, 10.0, 1.0
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


def words_of(command: str | None, base_url: str | None) -> tuple[str, ...] | None:
    """The words of *command*, as a shell would split it; nothing of it is expanded. Raises ``SetupError``."""
    if command is None:
        return None
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise SetupError(f"--serve {command!r} cannot be split into words: {error}") from None
    if not words:
        raise SetupError("--serve is empty: is a variable not set?")
    if base_url is None:
        raise SetupError("--serve needs a base URL: give --base-url, or base_url in the target file")
    return words


class Served:
    """A target that was started for the run. :meth:`stop` ends it with all its children; stopping twice is fine."""

    def __init__(self, words: tuple[str, ...], folder: Path, vault: Vault) -> None:
        self._words = words
        self._log = folder / LOG
        self._vault = vault
        self._output = _Output()
        self._said = bytearray()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel = -1

    def start(self, base_url: str) -> None:
        """Start the target. Raises ``SetupError`` where it cannot be started, or something else answers in its place."""
        _check_nobody_listens(base_url)
        reads, writes = os.pipe()
        # Credentials are for the suite: a target does not know them from its environment.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DELIVERY_")}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(writes), *self._words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[writes],
                start_new_session=True,
            )
        finally:
            os.close(writes)
        self._channel = reads
        if self._process.stdout is not None:
            self._output.read(self._process.stdout)
        said = self._listen(_START)
        # Where it ends at once, the supervisor may have said both by now.
        if said[:1] != ["started"]:
            self.stop()
            reason = "".join(said[:1]).removeprefix("failed ") or "no reason is known"
            raise SetupError(f"--serve: {self._words[0]!r} cannot be started: {reason}")

    def death(self) -> str | None:
        """How the target has ended by itself, in a few words; None while it runs."""
        last = "".join(self._listen(0.0)[-1:])
        if not last.startswith("ended "):
            return None
        code = int(last.removeprefix("ended "))
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def last_lines(self) -> list[str]:
        """The last lines of its output, redacted, once it has ended."""
        said = [line for line in self._vault.mask(self._output.text()).splitlines() if line.strip()]
        return [visible(line) for line in said[-_LAST:]]

    def stop(self) -> None:
        """End the target, by SIGTERM and after some seconds SIGKILL, and write its output down. Raises ``OSError``."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_START + _END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._log.write_text(self._vault.mask(self._output.text()), encoding="utf-8")
        self._listen(0.0)
        os.close(self._channel)
        self._channel = -1

    def _listen(self, seconds: float) -> list[str]:
        """The lines that the supervisor has said, waiting so many *seconds* for one more."""
        if self._channel >= 0 and select.select([self._channel], [], [], seconds)[0]:
            self._said += os.read(self._channel, 4096)
        return self._said.decode("utf-8", "replace").splitlines()


class _Output:
    """What the target prints, its end at least.

    It is kept as it comes and redacted when it is shown: a target may print a key before its answer has shown the
    suite that it is one.
    """

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def read(self, stream: IO[bytes]) -> None:
        """Read *stream* to its end, in a thread."""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What is kept, after a short wait for what is on its way."""
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        dropped = f"({count(self._dropped, 'earlier line')} left out)\n" if self._dropped else ""
        return dropped + b"".join(list(self._lines)).decode("utf-8", "replace")

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LONGEST_LINE):
                self._lines.append(line)
                self._size += len(line)
                while self._size > _LARGEST_LOG:
                    self._size -= len(self._lines.popleft())
                    self._dropped += 1


def _check_nobody_listens(base_url: str) -> None:
    """Raise ``SetupError`` where something listens already: it would be judged in the place of the target."""
    address = urlsplit(base_url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), 1.0).close()
    except OSError:
        return
    raise SetupError(f"--serve: something answers at {base_url} already; end it, or leave --serve out")
