"""What shows the server's inside: stack traces, SQL statements, file paths. Each rule looks at a character a bounded number of times.

No pattern here has two quantifiers between which a character could change sides, but within one short line; what is open
at both ends (``SELECT … FROM …``) is read word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_STACK_TRACES = (
    re.compile(r"Traceback \(most recent call last\)"),
    re.compile(r"File \"[^\"\n]{1,200}+\", line \d"),
    # Java, with "at " before it or not: Tomcat leaves it out, and its pages write <init> in entities.
    re.compile(r"\([\w$]{1,200}+\.(?:java|kt|scala|groovy|clj):\d{1,9}\)"),
    re.compile(r"(?<![\w$.])[\w$]{1,100}+\.[\w$.<>/]{1,200}+\((?:Native Method|Unknown Source)\)"),
    # .NET with sources, and as a page shows it without "at ".
    re.compile(r"\bat [\w.<>`]{1,200}+\([^)\n]{0,200}+\) in [^\n:]{1,200}+(?::[^\n:]{1,200}+)?:line \d"),
    re.compile(r"(?m)^[ \t]{1,40}+[\w.<>`]{1,200}+\([^)\n]{0,200}+\) \+\d"),
    re.compile(r"\bin [^\s:]{1,200}\.php(?: on line |:)\d"),
    re.compile(r"\bat (?:async )?[\w$.<>]{1,200}+ \(node:[\w/]{1,200}+:\d{1,9}:\d"),
    # Frames of .NET, or of Java without sources: two lines of nothing else.
    re.compile(
        r"(?m)^[ \t]{1,40}+at [\w$.<>`+]{1,200}+\([^)\n]{0,200}+\)[ \t\r]{0,40}+\n"
        r"[ \t]{1,40}+at [\w$.<>`+]{1,200}+\([^)\n]{0,200}+\)"
    ),
    re.compile(r"\.rb:\d{1,9}:in [`']"),
    re.compile(r"\.exs?:\d{1,9}: [\w.]{1,200}+/\d"),
    re.compile(r"\bgoroutine \d{1,9} \["),
    re.compile(r"[\w/-]\.(?:go|rs|cpp|swift|erl|lua|clj):\d"),
    re.compile(r"\{file,\"[^\"\n]{1,200}+\"\},\s?\{line,\d"),
    re.compile(r"\bstack traceback:\s"),
    re.compile(r"\bCallStack \(from HasCallStack\)"),
    re.compile(r"\bat [\w./-]{1,200}\.(?:pl|pm|cgi) line \d"),
    re.compile(r"\bthread '[^'\n]{1,200}+' panicked at"),
    re.compile(r"Caused by: [\w.$]{1,200}(?:Exception|Error)\b"),
)
#: Places of frames that need a look at what stands before them on their line, and how far that goes.
_JAVASCRIPT = re.compile(r"\.(?:js|ts|mjs|cjs):\d{1,9}:\d")
_CALLED_AT = re.compile(r"\bat (?:[\w$.<>\[\] ]{1,100} )?\(?\Z")
_PHP = re.compile(r"\.php\(\d{1,9}\)")
_NUMBERED = re.compile(r"#\d{1,9} [^\n:]{1,200}\Z")
_BEFORE = 220

_PATHS = (
    re.compile(r"(?<![\w:/.])/(?:usr|var|opt|srv|etc|root|tmp|mnt|proc)/[\w.@+-]{1,200}+(?:/[\w.@+-]{1,200}+){0,20}+"),
    # A page of a site may be called so, too; what lies below somebody's home is a file.
    re.compile(r"(?<![\w:/.])/(?:home|Users)/[\w.@+-]{1,200}+(?:/[\w.@+-]{1,200}+){1,20}+"),
    # Names that a public URL may begin with too count only when what follows looks like a file.
    re.compile(
        r"(?<![\w:/.])/(?:app|apps|data|src|code|build|run|lib|bin|www|workspace|deploy|private)/"
        r"(?:[\w@+-]{1,100}+/){0,20}+[\w@+-]{1,100}+\.(?:py|js|ts|java|rb|php|go|cs|class|jar|so|conf|log|sql|sock|db|html?|xml|ya?ml)\b"
    ),
    re.compile(r"(?<![A-Za-z])[A-Za-z]:\\{1,2}[\w .()-]{1,100}+\\{1,2}[\w .()\\-]{1,200}+"),
    re.compile(r"\bfile:///?[\w./-]{1,200}+"),
)
_SQL = (
    re.compile(r"\b(?:DROP TABLE|ALTER TABLE)\b\s{1,20}+[\w\"`.]"),
    re.compile(r"\bINSERT INTO\b\s{1,20}+[\w\"`.]{1,100}+\s{0,20}+(?:\(|(?:VALUES|SELECT|SET)\b)"),
    re.compile(r"\bDELETE FROM\b\s{1,20}+(?=[\w\"`.]{0,99}?[a-z_\"`])[\w\"`.]{1,100}+"),
    re.compile(r"\binsert into\s{1,20}+[\w\"`.]{1,100}+\s{0,20}+\([^)]{0,300}+\)\s{0,20}+values\b", re.IGNORECASE),
    re.compile(r"\bdelete from\s{1,20}+[\w\"`.]{1,100}+\s{1,20}+where\b", re.IGNORECASE),
    re.compile(r"\bupdate\s{1,20}+[\w\"`.]{1,100}+\s{1,20}+set\s{1,20}+[\w\"`.]{1,100}+\s{0,20}+=", re.IGNORECASE),
    re.compile(r"\bSQLSTATE\b|\bORA-\d{5}\b|error in your SQL syntax", re.IGNORECASE),
)
_SELECT_OR_FROM = re.compile(r"\b(?:select|from)\b|;", re.IGNORECASE)
#: Characters between SELECT and FROM, and after FROM, that are looked at.
_BETWEEN = 600
_AFTER = 300
# Something that no sentence would have between the two: a message in capitals is no statement.
_NO_SENTENCE = re.compile(r"[*,.()=_\"'`\[]")
_ONE_COLUMN = re.compile(r"\s{1,20}+\w{1,200}+\s{1,20}+")
_COLUMNS = re.compile(r"[\w.,*\s\"`]{1,600}+")
_TABLE = re.compile(r"\s{1,20}+[\w\"`\[.]")
# What prose in capitals takes from a list is in capitals, too.
_TABLE_NOT_IN_CAPITALS = re.compile(r"\s{1,20}+[\w\"`\[.]{0,99}?[a-z_\"`\[]")
_WHERE = re.compile(
    r"\s{1,20}+[\w\"`.]{1,100}+(?:\s{1,20}+(?!where\b)(?:as\s{1,20}+)?\w{1,100}+)?+"
    r"\s{1,20}+where\s{1,20}+[\w\"`.]{1,100}+\s{0,20}+(?:=|<|>|!=|like\s{1,20}+'|in\s{0,20}+\()",
    re.IGNORECASE,
)
#: So much of what was found is shown.
_SHOWN = 120


@lru_cache(maxsize=64)
def found_in(text: str) -> str | None:
    """What of the server's inside *text* shows, named, or None. Most refusals of a target read the same."""
    for name, finder in (("a stack trace", _traces), ("an SQL statement", _statements), ("a file path", _paths)):
        for found in finder(text):
            return f"{name}: {found[:_SHOWN]!r}"
    return None


def _traces(text: str) -> Iterator[str]:
    yield from _matches(_STACK_TRACES, text)
    for place in _JAVASCRIPT.finditer(text):
        before = _same_line(text, place.start())
        file = len(before)
        while file and before[file - 1] not in " \t()":
            file -= 1
        called = _CALLED_AT.search(before[:file])
        if called:
            yield before[called.start() :] + place.group(0)
    for place in _PHP.finditer(text):
        numbered = _NUMBERED.search(_same_line(text, place.start()))
        if numbered:
            yield numbered.group(0) + place.group(0)


def _same_line(text: str, end: int) -> str:
    before = text[max(0, end - _BEFORE) : end]
    return before[before.rfind("\n") + 1 :]


def _paths(text: str) -> Iterator[str]:
    return _matches(_PATHS, text)


def _statements(text: str) -> Iterator[str]:
    yield from _matches(_SQL, text)
    select: re.Match[str] | None = None
    for word in _SELECT_OR_FROM.finditer(text):
        spelled = word.group(0).lower()
        if spelled == "select":
            select = word
        elif spelled == "from" and select is not None and word.start() - select.end() <= _BETWEEN:
            between = text[select.end() : word.start()]
            after = text[word.end() : word.end() + _AFTER]
            capitals = select.group(0) == "SELECT" and word.group(0) == "FROM"
            if _is_statement(between, after, capitals=capitals):
                yield text[select.start() : word.end() + _AFTER]
            # Each word is looked at with one other: a statement within a statement is one, too.
            select = None
        else:
            select = None


def _is_statement(between: str, after: str, *, capitals: bool) -> bool:
    if not between[:1].isspace() and between[:1] not in '*("`[':
        return False
    if capitals and _NO_SENTENCE.search(between) and _TABLE.match(after):
        return True
    if capitals and _ONE_COLUMN.fullmatch(between) and _TABLE_NOT_IN_CAPITALS.match(after):
        return True
    if between.strip() == "*" and _TABLE.match(after):
        return True
    return _COLUMNS.fullmatch(between) is not None and _WHERE.match(after) is not None


def _matches(patterns: tuple[re.Pattern[str], ...], text: str) -> Iterator[str]:
    for pattern in patterns:
        found = pattern.search(text)
        if found:
            yield found.group(0)
