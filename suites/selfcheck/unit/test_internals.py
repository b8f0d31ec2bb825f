"""What of a server's inside a text shows, as it is named: frames, statements and paths, and sentences that look like them."""

# ruff: noqa: S608 -- nobody runs these statements

from __future__ import annotations

import pytest

from contracts.rules.internals import found_in

#: Characters between SELECT and FROM, and after FROM, that are looked at; and of what was found that are shown.
BETWEEN, AFTER, SHOWN = 600, 300, 120


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Traceback (most recent call last):", "Traceback (most recent call last)"),
        ('x File "a.py", line 7, in b', 'File "a.py", line 7'),
        ("at a.B.c(D.java:5)", "(D.java:5)"),
        ("a.b.C.d(Native Method)", "a.b.C.d(Native Method)"),
        ("at A.B(C d) in C:\\x\\y.cs:line 7", "at A.B(C d) in C:\\x\\y.cs:line 7"),
        ("in /x/y.php on line 3", "in /x/y.php on line 3"),
        ("  at a (a/b.js:10:5)", "at a (a/b.js:10:5"),
        ("#0 /x/y.php(12): z()", "#0 /x/y.php(12)"),
        ("goroutine 7 [running]", "goroutine 7 ["),
        ("thread 'main' panicked at", "thread 'main' panicked at"),
        ("Caused by: a.b.CException", "Caused by: a.b.CException"),
    ],
)
def test_a_frame(text: str, shown: str) -> None:
    found = found_in(text)
    assert found is not None
    assert found.startswith("a stack trace: ")
    assert repr(shown)[1:-1] in found


@pytest.mark.parametrize(
    "text",
    [
        "b.js:10:5",
        "at 5 (b.js)",
        "see a.php(12)",
        "#0 of them: y.php (12)",
        "it is at a line: 7",
    ],
)
def test_no_frame(text: str) -> None:
    assert found_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a.b FROM c",
        "SELECT * FROM c",
        "select * from c",
        "SELECT(a) FROM c",
        'SELECT"a" FROM c',
        "SELECT`a` FROM c",
        "SELECT[a] FROM c",
        "SELECT*FROM c",
        "SELECT a FROM Users",
        "SELECT a FROM user_keys",
        "select a, b from c where d = 1",
        "select a from c as x where d like 'e'",
        "select a from b; SELECT c.d FROM e",
        "SELECT a, (SELECT b.c FROM d) FROM e",
        "INSERT INTO a (b)",
        "INSERT INTO a VALUES",
        "delete from a where b",
        "DELETE FROM users",
        "update a set b = 1",
        "DROP TABLE a",
        "ORA-00942",
        "SQLSTATE",
    ],
)
def test_a_statement(text: str) -> None:
    found = found_in(f"error: {text}")
    assert found is not None
    assert found.startswith("an SQL statement: ")


@pytest.mark.parametrize(
    "text",
    [
        "SELECTED, they are FROM c",
        "SELECT! one.two FROM c",
        "PLEASE SELECT ONE FROM THE LIST",
        "SELECT ONE OF THEM FROM THE LIST",
        "select one from the list",
        "select one, or two, from the list",
        "from c select a.b",
        "SELECT a.b; FROM c",
        "SELECT a.b FROM",
        "DELETE FROM THE LIST",
        "insert into a hat",
        "update a set of b",
    ],
)
def test_no_statement(text: str) -> None:
    assert found_in(f"error: {text}") is None


@pytest.mark.parametrize(("size", "found"), [(BETWEEN, True), (BETWEEN + 1, False)])
def test_what_stands_between_has_an_end(size: int, found: bool) -> None:
    between = " a." + "b" * (size - 4) + " "
    assert len(between) == size
    assert (found_in(f"SELECT{between}FROM c") is not None) is found


def test_of_a_statement_so_much_is_shown() -> None:
    assert found_in("x SELECT a.b FROM c") == "an SQL statement: 'SELECT a.b FROM c'"
    assert found_in("SELECT a.b FROM " + "c" * 400) == f"an SQL statement: {('SELECT a.b FROM ' + 'c' * 400)[:SHOWN]!r}"
    # What stands far behind it is not looked at.
    head = "select a, b from c where " + "d" * 100
    assert found_in(f"{head}{' ' * 20}= 1") is not None
    assert found_in("select a from b " + "c " * AFTER + "where d = 1") is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("at /srv/app/main.py", "/srv/app/main.py"),
        ("/etc/passwd", "/etc/passwd"),
        ("/home/x/y", "/home/x/y"),
        ("/app/a/main.py", "/app/a/main.py"),
        ("C:\\a\\b", "C:\\a\\b"),
        ("file:///a", "file:///a"),
    ],
)
def test_a_path(text: str, path: str) -> None:
    assert found_in(text) == f"a file path: {path!r}"


@pytest.mark.parametrize(
    "text", ["/home/x", "/app/a", "/data/v1", "a/etc/b", "http://x/etc/y", "C: \\a", "/user/x/y.py"]
)
def test_no_path(text: str) -> None:
    assert found_in(text) is None


def test_frames_go_before_statements_and_statements_before_paths() -> None:
    path, statement, frame = "/etc/x", "DROP TABLE a", "goroutine 7 ["
    assert str(found_in(f"{path} {statement} {frame}")).startswith("a stack trace")
    assert str(found_in(f"{path} {statement}")).startswith("an SQL statement")
    assert found_in("") is None


def test_a_frame_of_php_is_shown_from_its_number_on() -> None:
    assert found_in("x\n#12 /a b/c.php(7): d()") == "a stack trace: '#12 /a b/c.php(7)'"
    assert found_in("x at e (a/b.mjs:10:5)") == "a stack trace: 'at e (a/b.mjs:10:5'"
    assert found_in("x at async e (node:a/b:10:5)") is not None
