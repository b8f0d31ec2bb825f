"""Certificates for the self-checks of https: an authority of its own, made with the ``openssl`` command."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CLIENT = """\
extendedKeyUsage = clientAuth
basicConstraints = CA:FALSE
"""
_SERVER = """\
subjectAltName = DNS:localhost, DNS:target.test, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
basicConstraints = CA:FALSE
"""


@dataclass(frozen=True)
class Authority:
    """An authority's certificate, a context for a server that has one from it, and a client's certificate and key."""

    bundle: Path
    server: ssl.SSLContext
    client: Path
    client_key: Path

    def mutual(self) -> ssl.SSLContext:
        """A context for a server that asks its clients for a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.bundle.with_name("server.pem"), self.bundle.with_name("server.key"))
        context.load_verify_locations(self.bundle)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def make(folder: Path) -> Authority:
    """Make an authority and a certificate for this machine and for ``target.test``."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (folder / "server.ext").write_text(_SERVER, encoding="utf-8")
    (folder / "client.ext").write_text(_CLIENT, encoding="utf-8")
    _openssl(
        folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=An authority", "-days", "2"
    )
    for name, common in (("server", "localhost"), ("client", "the suite")):
        _openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common}")
        _openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip
    return load(folder)


def load(folder: Path) -> Authority:
    """The authority that was made in *folder*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return Authority(folder / "ca.pem", context, folder / "client.pem", folder / "client.key")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
