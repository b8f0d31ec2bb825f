"""The target file: addresses, where credentials come from, and what is said of a line that is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fixtures.errors import SetupError
from fixtures.http.names import is_loopback_host
from fixtures.target import credentials
from fixtures.target.file import ACCOUNTS, read_target
from fixtures.target.urls import check_base_url

_SECRET = "9c1de5b0a7f24368be31d0c94f7a6e52"


def _file(folder: Path, text: str) -> Path:
    path = folder / "target.toml"
    path.write_text(f'base_url = "http://127.0.0.1:1/v2"\n{text}\n', encoding="utf-8")
    return path


def _said(path: Path, **environ: str) -> str:
    with pytest.raises(SetupError) as error:
        read_target(path, {"PATH": "/usr/bin:/bin", **environ})
    said = str(error.value)
    assert len(said.splitlines()) == 1
    assert _SECRET[:12] not in said
    return said


# ---------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("0.0.0.0", "names 0.0.0.0, which is no loopback address: a server listens on it, and is called at 127.0.0.1"),  # noqa: S104
        ("0.0.0.0:8080", "and is called at 127.0.0.1"),
        ("[::]", "names ::, which is no loopback address: a server listens on it, and is called at [::1]"),
        ("[0:0::0]:80", "and is called at [::1]"),
        ("[::ffff:0.0.0.0]", "is no loopback address: a server listens on it, and is called at 127.0.0.1"),
        # Forms that one resolver takes for an address, and another for a name.
        ("0", "must name an IPv4 address by its four numbers, such as 127.0.0.1"),
        ("127.1", "must name an IPv4 address by its four numbers"),
        ("2130706433", "must name an IPv4 address by its four numbers"),
        ("0x7f000001", "must name an IPv4 address by its four numbers"),
        ("0x7f.1", "must name an IPv4 address by its four numbers"),
        ("0177.0.0.1", "must name an IPv4 address by its four numbers"),
        ("127.0.0.1.", "must name an IPv4 address by its four numbers"),
        ("256.0.0.1", "must name an IPv4 address by its four numbers"),
    ],
)
def test_addresses_that_mean_something_else_to_another_resolver(host: str, says: str, tmp_path: Path) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(SetupError) as error:
            check_base_url(f"{scheme}://{host}/v2", "--base-url")
        assert says in str(error.value)
    hook = tmp_path / "target.toml"
    hook.write_text(f'[provider_states]\nurl = "http://{host}/states"\n', encoding="utf-8")
    assert says in _said(hook)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "1.example.com", "example.1a", "[::1]", "[fe80::1%25eth0]", "x0", "[::ffff:127.0.0.1]"]
)
def test_addresses_that_are_plain(host: str) -> None:
    assert check_base_url(f"http://{host}/v2", "--base-url") == f"http://{host}/v2"


def test_an_address_of_ipv4_within_ipv6_is_no_loopback_on_any_version_of_python() -> None:
    """Newer ones take it for loopback, older ones do not; in doubt a host is somebody else's."""
    assert not is_loopback_host("[::ffff:127.0.0.1]")
    assert is_loopback_host("[::1]")


# ---------------------------------------------------------------------- names that are nearly right


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'[credentials]\nowners = "{_SECRET}"', "unknown account 'owners' in credentials; did you mean owner? (known there: demo"),
        (f'[credentials]\ntariff_restrictd = "{_SECRET}"', "did you mean tariff_restricted?"),
        ('[credentials]\nsub_user = { env = "A" }', "did you mean subuser?"),
        ('[http]\ntimeouts = 3', "unknown key 'timeouts' in http; did you mean timeout?"),
        ('[provider_state]\nurl = "http://a/"', "unknown key 'provider_state' in the top level; did you mean provider_states?"),
        ('profile = "cor"', "profile must be one of core, platform; did you mean core?"),
        ('zzz = 1', "unknown key 'zzz' in the top level (known there:"),
    ],
)  # fmt: skip
def test_the_nearest_name_is_asked_for(text: str, says: str, tmp_path: Path) -> None:
    assert says in _said(_file(tmp_path, text))


# ---------------------------------------------------------------------- where credentials come from


def test_sources_are_known_without_reading_anything(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    command = json.dumps(["touch", str(touched)])
    path = _file(tmp_path, f'[credentials]\nowner = {{ command = {command} }}\nsubuser = {{ file = "none" }}')
    target = read_target(path, {"DELIVERY_ENDED_HASH": "short"}, with_credentials=False)
    assert target.sources == {
        "owner": "from the target file",
        "subuser": "from the target file",
        "ended": "from DELIVERY_ENDED_HASH",
    }
    assert not target.credentials
    assert not touched.exists()


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, '[credentials]\nowner = { env = "STAGING_OWNER" }\nsubuser = { env = "STAGING_SUBUSER" }')
    target = read_target(path, {"STAGING_SUBUSER": " \n", "DELIVERY_ENDED_HASH": ""})
    assert target.absent == {
        "owner": "the environment variable STAGING_OWNER (credentials.owner of the target file) is not set",
        "subuser": "the environment variable STAGING_SUBUSER (credentials.subuser of the target file) is empty",
        "ended": "the environment variable DELIVERY_ENDED_HASH is empty",
    }


@pytest.mark.parametrize("width", [8, 12, 32])
def test_accounts_that_begin_alike_are_two(width: int, tmp_path: Path) -> None:
    lines = [f'{account} = "{number:0{width}d}"' for number, account in enumerate(ACCOUNTS, 1)]
    target = read_target(_file(tmp_path, "[credentials]\n" + "\n".join(lines)), {})
    assert target.credentials == {account: f"{number:0{width}d}" for number, account in enumerate(ACCOUNTS, 1)}


def test_accounts_that_differ_in_letter_case_only_cannot_be_told_apart(tmp_path: Path) -> None:
    text = f'[credentials]\nowner = "{_SECRET}"\nsubuser = "{_SECRET.upper()}"'
    assert "the accounts owner and subuser have credentials that differ in letter case only" in _said(
        _file(tmp_path, text)
    )


def test_home_stands_for_itself_in_the_target_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "owner").write_text(_SECRET, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    path = _file(tmp_path / "elsewhere", '[credentials]\nowner = { file = "~/owner" }\n[http]\nca_bundle = "~/owner"')
    target = read_target(path, {})
    assert target.credentials == {"owner": _SECRET}
    assert target.http.ca_bundle == str(tmp_path / "owner")


# ---------------------------------------------------------------------- commands that fail


def _command(folder: Path, code: str, more: str = "") -> Path:
    program = json.dumps([sys.executable, "-c", f"import sys, os, time, signal\n{code}"])
    return _file(folder, f"[credentials]\n{more}\nsubuser = {{ command = {program} }}")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("print('login: no such user', file=sys.stderr); sys.exit(3)", "failed with exit code 3: login: no such user"),
        ("print('a\\n\\n b\\tc', file=sys.stderr); sys.exit(1)", "failed with exit code 1: a b c"),
        ("sys.exit(1)", "failed with exit code 1"),
        ("sys.stderr.write('x' * 100_000 + ' the end'); sys.exit(1)", "x the end"),
        ("sys.stderr.buffer.write(b'\\xff\\xfe oh'); sys.exit(1)", "\ufffd\ufffd oh"),
        ("print('oh', file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGTERM)", "was ended by SIGTERM: oh"),
    ],
)
def test_what_a_command_says_when_it_fails_is_shown(code: str, says: str, tmp_path: Path) -> None:
    said = _said(_command(tmp_path, code))
    assert said.endswith(says)
    assert len(said) < 700


def test_what_a_command_says_before_it_hangs_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "COMMAND_TIME", 1.0)
    said = _said(_command(tmp_path, "print('passphrase:', file=sys.stderr, flush=True); time.sleep(60)"))
    assert said.endswith("did not end within 1 s: passphrase:")


@pytest.mark.parametrize(
    "code",
    [
        # What it printed, an account that is known already, a secret of the environment, what looks like a secret.
        f"print({_SECRET!r}); print('refused: ' + {_SECRET!r}, file=sys.stderr)",
        f"print('refused: ' + {_SECRET[::-1]!r}, file=sys.stderr)",
        "print('refused: ' + os.environ['STAGING_PASSWORD'], file=sys.stderr)",
        "print('refused: 0123456789abcdef0123456789abcdef', file=sys.stderr)",
        f"print('https://a/?hash={_SECRET[:20]}', file=sys.stderr)",
    ],
)
def test_secrets_are_masked_in_what_a_command_says(code: str, tmp_path: Path) -> None:
    password = "correct-horse-battery"
    path = _command(tmp_path, f"{code}; sys.exit(1)", f'owner = "{_SECRET[::-1]}"')
    said = _said(path, STAGING_PASSWORD=password)
    assert "failed with exit code 1: " in said
    for secret in (_SECRET, _SECRET[::-1], _SECRET[:20], password, "0123456789abcdef"):
        assert secret not in said
    assert "«" in said


def test_a_command_that_ends_well_is_not_quoted(tmp_path: Path) -> None:
    path = _command(tmp_path, f"print('warning: old', file=sys.stderr); print({_SECRET!r})")
    assert read_target(path, {}).credentials == {"subuser": _SECRET}


def test_a_command_gets_the_environment_of_the_user(tmp_path: Path) -> None:
    path = _command(tmp_path, "print(os.environ['MINE'])")
    assert read_target(path, {"MINE": _SECRET}).credentials == {"subuser": _SECRET}
