"""Which certificates are trusted: the same on every Python, and of the environment only what is documented."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from contracts.judge import Judgement
from fixtures.calls import GET_QUERY, call
from fixtures.errors import SetupError
from fixtures.http.trust import ssl_context
from suites.selfcheck.system import certificates
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.unit.sessions import session_on

_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: What a private authority made years ago looks like: curl accepts it, and Python since 3.13 would not.
_OLD = b"[req]\ndistinguished_name = name\n[name]\n[old]\nbasicConstraints = CA:TRUE\n"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*_VARIABLES, "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.make(tmp_path_factory.mktemp("authority"))


def _answer(client: Client, request: bytes) -> None:
    client.answer(b'{"success": false, "status": {"code": 3, "description": "x"}}', "400 Bad Request")


def _ask(tls: ssl.SSLContext, bundle: Path | None = None) -> Judgement:
    with Server(_answer, tls=tls) as server:
        session = session_on(server.base_url, ca_bundle=str(bundle) if bundle else None)
        try:
            return session.exchange(call("read", GET_QUERY, "0123456789abcdef0123456789abcdef"))
        finally:
            session.close()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_variables_that_are_documented(
    name: str, authority: certificates.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(authority.bundle))
    assert _ask(authority.server).status == 400


@pytest.mark.parametrize("name", ["CURL_CA_BUNDLE", "SSL_CERT_DIR"])
def test_variables_that_are_not(name: str, authority: certificates.Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["openssl", "rehash", authority.bundle.parent], check=True, capture_output=True)
    directory = name == "SSL_CERT_DIR"
    monkeypatch.setenv(name, str(authority.bundle.parent if directory else authority.bundle))
    assert "does not verify" in (_ask(authority.server).exchange.failure or "")


def test_the_target_file_comes_before_the_environment(
    authority: certificates.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    assert _ask(authority.server, authority.bundle).status == 400


def test_a_file_in_the_place_of_the_systems(authority: certificates.Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = len(ssl_context(None).get_ca_certs())
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    assert len(ssl_context(None).get_ca_certs()) == 1 < everything


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_cannot_be_used(
    name: str, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    monkeypatch.setenv(name, str(bundle))
    with pytest.raises(SetupError, match=f"the environment variable {name} names .*which cannot be used"):
        ssl_context(None)


def test_an_old_private_authority_is_accepted(tmp_path: Path, authority: certificates.Authority) -> None:
    made = authority.bundle.parent
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *key, "-keyout", "old.key", "-out", "old.pem", "-subj", "/CN=old", "-days", "2",
         "-extensions", "old", "-config", "/dev/stdin"],
        input=_OLD, cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        ["openssl", "x509", "-req", "-in", str(made / "server.csr"), "-CA", "old.pem", "-CAkey", "old.key",
         "-CAcreateserial", "-days", "2", "-extfile", str(made / "server.ext"), "-out", "server.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server.pem", made / "server.key")
    assert _ask(server, tmp_path / "old.pem").status == 400
    assert not ssl_context(None).verify_flags & ssl.VERIFY_X509_STRICT


def test_the_name_still_counts(authority: certificates.Authority) -> None:
    context = ssl_context(str(authority.bundle))
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
