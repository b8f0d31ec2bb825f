"""What the target file adds to requests is hidden in every output, as credentials are; what may stand in any text is not."""

from __future__ import annotations

from base64 import b64encode

import pytest

from fixtures.http.gateway import BasicAuthentication
from fixtures.http.options import HttpOptions
from fixtures.target.file import Target
from fixtures.target.hidden import hidden_values

_BASE = "https://staging-eu-1.example.com/v2"


def _hidden(**headers: str) -> set[str]:
    """What is hidden of the headers of calls, and of those of the hook."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    of_calls = {value for value, _ in hidden_values(Target(http=HttpOptions(headers=names)), _BASE)}
    assert of_calls == {value for value, _ in hidden_values(Target(states_headers=names), _BASE)}
    return of_calls


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("X_Gateway", "gatewaySecret55", {"gatewaySecret55"}),
        ("Cookie", "sid=cookieSecret88; theme=dark", {"cookieSecret88"}),
        ("X_Token", "Bearer secretOfTheGateway", {"secretOfTheGateway"}),
        ("X_Token", "123456789012", {"123456789012"}),
        # It may stand in any text: too short, words, a date, a part of the address, or a header of which anybody may know.
        ("X_Gateway", "short77", set()),
        ("X_Service", "delivery-conformance", set()),
        ("X_Accept", "application/json; version=2", set()),
        ("X_Version", "2026-11-01", set()),
        ("X_Number", "12345678901", set()),
        ("X_Environment", "staging-eu-1", set()),
        ("Accept_Language", "en-US,en;q=0.95", set()),
        ("X_Forwarded_Proto", "https-and-more-1", set()),
    ],
)
def test_a_header_is_hidden_whole_and_in_its_parts(name: str, value: str, hidden: set[str]) -> None:
    assert _hidden(**{name: value}) == hidden


def test_what_is_hidden_is_named() -> None:
    target = Target(
        states_url="http://127.0.0.1/_states?token=hookQuerySecret99&a=1",
        states_headers={"X-Hook": "hookHeaderSecret77"},
        http=HttpOptions(headers={"X-Gateway": "gatewaySecret55"}, basic=BasicAuthentication("ci", "correct-horse")),
    )
    assert list(hidden_values(target, None)) == [
        ("correct-horse", "password of http.basic"),
        (b64encode(b"ci:correct-horse").decode(), "http.basic"),
        ("gatewaySecret55", "X-Gateway of http.headers"),
        ("hookHeaderSecret77", "X-Hook of provider_states.headers"),
        ("hookQuerySecret99", "token of the hook's address"),
    ]


def test_of_nothing_nothing_is_hidden() -> None:
    assert list(hidden_values(Target(), _BASE)) == []
