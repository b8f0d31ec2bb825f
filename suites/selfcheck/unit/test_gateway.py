"""What a gateway in front of a target asks for: a client certificate, a user and a password, headers of its own."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from fixtures.calls import GET_HEADER, GET_QUERY, POST_HEADER, POST_JSON, call
from fixtures.errors import NotAvailable, SetupError
from fixtures.http.gateway import BasicAuthentication, ClientCertificate
from fixtures.http.options import HttpOptions
from fixtures.target.file import read_target
from suites.selfcheck.system import certificates
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.unit.sessions import session_on

_HASH = "9c1de5b0a7f24368be31d0c94f7a6e52"
_GOOD = b'{"success": true, "value": "0123456789abcdef0123456789abcdef"}'
_PASSWORD = "correct-horse"
_BASIC = BasicAuthentication("staging", _PASSWORD)


def _answer(client: Client, request: bytes) -> None:
    client.answer(_GOOD)


def _authorization(request: bytes) -> list[str]:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return [value.strip() for name, _, value in (line.partition(":") for line in lines) if name == "Authorization"]


# ---------------------------------------------------------------------- Basic


def test_every_call_carries_user_and_password() -> None:
    with Server(_answer) as server:
        session = session_on(server.base_url, basic=_BASIC)
        for style in (GET_QUERY, POST_JSON):
            shown = session.exchange(call("read", style, _HASH)).exchange.request.headers
            assert dict(shown)["Authorization"] == "«Authorization of the target file»"
    expected = "Basic " + b64encode(b"staging:correct-horse").decode()
    assert [_authorization(request) for request in server.requests] == [[expected], [expected]]


@pytest.mark.parametrize("style", [GET_HEADER, POST_HEADER])
def test_what_needs_the_header_is_not_sent_and_says_why(style: Any) -> None:
    with Server(_answer) as server:
        session = session_on(server.base_url, basic=_BASIC)
        with pytest.raises(
            NotAvailable, match=r"the user and password of the gateway \(http\.basic of the target file\)"
        ):
            session.exchange(call("read", style, _HASH))
    assert not server.requests
    assert session.http.authorization_taken
    assert HttpOptions().authorization_taken is None


def test_without_basic_the_header_is_the_calls_own() -> None:
    with Server(_answer) as server:
        session_on(server.base_url).exchange(call("read", GET_HEADER, _HASH))
    assert _authorization(server.requests[0]) == [f"NVX {_HASH}"]


def test_a_password_does_not_show_itself() -> None:
    assert _PASSWORD not in repr(HttpOptions(basic=_BASIC))


# ---------------------------------------------------------------------- a client certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.make(tmp_path_factory.mktemp("authority"))


def test_mutual_tls(authority: certificates.Authority) -> None:
    shown = ClientCertificate(str(authority.client), str(authority.client_key))
    with Server(_answer, tls=authority.mutual()) as server:
        session = session_on(server.base_url, ca_bundle=str(authority.bundle), client_certificate=shown)
        assert session.exchange(call("read", GET_QUERY, _HASH)).status == 200
        without = session_on(server.base_url, ca_bundle=str(authority.bundle))
        failure = without.exchange(call("read", GET_QUERY, _HASH)).exchange.failure
        assert failure is not None
    assert len(server.requests) == 1
    # Whether the alert is read before the request is written is chance.
    assert "http.client_certificate in the target file names it" in failure


def _file(folder: Path, text: str) -> Path:
    path = folder / "target.toml"
    path.write_text(f'base_url = "https://a/v2"\n{text}\n', encoding="utf-8")
    return path


def test_a_certificate_in_the_target_file(authority: certificates.Authority, tmp_path: Path) -> None:
    """Its files are relative to the target file; certificate and key may be in one."""
    folder = authority.bundle.parent
    both = folder / "both.pem"
    both.write_bytes(authority.client.read_bytes() + authority.client_key.read_bytes())
    for line, key in (
        ('{ certificate = "client.pem", key = "client.key" }', "client.key"),
        ('{ certificate = "both.pem" }', "both.pem"),
    ):
        target = read_target(_file(folder, f"[http]\nclient_certificate = {line}"), {})
        assert target.http.client_certificate is not None
        assert target.http.client_certificate.key == str(folder / key)


def test_a_certificate_that_cannot_be_used(authority: certificates.Authority) -> None:
    folder = authority.bundle.parent
    subprocess.run(
        ["openssl", "pkey", "-in", "client.key", "-aes256", "-passout", "pass:secret", "-out", "closed.key"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    pem = "in PEM form and without a passphrase"
    for line, says in {
        '{ certificate = "client.pem", key = "closed.key" }': pem,
        '{ certificate = "client.pem", key = "server.key" }': "the key is not that of the certificate",
        '{ certificate = "server.csr", key = "client.key" }': pem,
        '{ certificate = "client.pem" }': pem,
        '{ certificate = "none.pem", key = "client.key" }': "http.client_certificate.certificate names 'none.pem', which does not exist",
        '{ certificate = "client.pem", key = "none.key" }': "http.client_certificate.key names 'none.key', which does not exist",
        '{ key = "client.key" }': "http.client_certificate lacks 'certificate'",
        '{ certificate = "client.pem", keys = "client.key" }': "unknown key 'keys' in http.client_certificate; did you mean key?",
        '"client.pem"': "http.client_certificate must be of type object",
        '{ certificate = "" }': "http.client_certificate.certificate must not be empty",
    }.items():
        with pytest.raises(SetupError) as error:
            read_target(_file(folder, f"[http]\nclient_certificate = {line}"), {})
        assert says in str(error.value)
        assert "\n" not in str(error.value)


# ---------------------------------------------------------------------- the target file


@pytest.mark.parametrize(
    "line",
    ['"correct-horse"', '{ env = "STAGING_BASIC" }', '{ file = "password" }', '{ command = ["cat", "password"] }'],
)
def test_a_password_comes_from_where_a_credential_may(line: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct-horse\n", encoding="utf-8")
    path = _file(tmp_path, f'[http]\nbasic = {{ user = "staging", password = {line} }}')
    target = read_target(path, {"STAGING_BASIC": _PASSWORD, "PATH": "/usr/bin:/bin"})
    assert target.http.basic == _BASIC
    # A plan reads no secret.
    assert read_target(path, {}, with_credentials=False).http.basic == BasicAuthentication("staging", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('basic = { user = "a" }', "http.basic lacks 'password'"),
        ('basic = { password = "correct-horse" }', "http.basic lacks 'user'"),
        ('basic = { user = "a:b", password = "correct-horse" }', "http.basic.user must be printable and hold no colon"),
        ('basic = { user = "", password = "correct-horse" }', "http.basic.user must not be empty"),
        ('basic = { user = "a", password = "short" }', "http.basic.password of the target file has fewer than 8 characters"),
        ('basic = { user = "a", password = { env = "NONE" } }', "variable NONE (http.basic.password of the target file) is not set"),
        ('basic = { user = "a", password = { env = "EMPTY" } }', "variable EMPTY (http.basic.password of the target file) is empty"),
        ('basic = { user = "a", password = { file = "none" } }', "http.basic.password: the file 'none' cannot be read"),
        ('basic = { user = "a", password = { envv = "X" } }', "unknown key 'envv' in http.basic.password; did you mean env?"),
        ('basic = { user = "a", password = 12345678 }', 'http.basic.password must be "text" or one of'),
        ('basic = { user = "a", passwort = "correct-horse" }', "unknown key 'passwort' in http.basic; did you mean password?"),
        ('basic = "a:b"', "http.basic must be of type object"),
        ('headers = { Authorization = "Basic abc" }', "http.headers must not set Authorization: the suite sets it itself; http.basic is for"),
        ('client_certificat = "x"', "unknown key 'client_certificat' in http; did you mean client_certificate?"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        read_target(_file(tmp_path, f"[http]\n{text}"), {"EMPTY": " "})
    said = str(error.value)
    assert says in said
    assert said.startswith((str(tmp_path), "the target file", "http.", "the environment"))
    assert "\n" not in said
    assert _PASSWORD not in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{ "X A" = "b" }', "provider_states.headers"),
        ('{ X-A = "…" }', "provider_states.headers.X-A must be printable ASCII"),
        ('{ Host = "b" }', "provider_states.headers must not set Host: the suite sets it itself"),
        ('{ X-A = 1 }', "provider_states.headers.X-A must be of type string"),
    ],
)  # fmt: skip
def test_headers_of_the_hook_that_cannot_be_sent(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=says.replace(".", r"\.")):
        read_target(_file(tmp_path, f'[provider_states]\nurl = "http://a/s"\nheaders = {text}'), {})


def test_headers_of_the_hook_are_its_own(tmp_path: Path) -> None:
    """A gateway of the hook's may want the Authorization header; the target's own headers are not the hook's."""
    path = _file(
        tmp_path,
        '[provider_states]\nurl = "http://a/s"\nheaders = { Authorization = "Bearer x" }\n[http]\nheaders = { X-A = "b" }',
    )
    target = read_target(path, {})
    assert target.states_headers == {"Authorization": "Bearer x"}
    assert target.http.headers == {"X-A": "b"}
