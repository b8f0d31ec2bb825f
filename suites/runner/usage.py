"""What is wrong with how the command was called, in one line."""

from __future__ import annotations

import sys

from reports.results import USAGE
from reports.words import visible


def usage(message: str) -> int:
    """Print *message* as one line on standard error; the exit code for it."""
    # What was said before comes first, where both streams are read as one.
    sys.stdout.flush()
    print(f"delivery-conformance: {visible(' '.join(message.split()))}", file=sys.stderr)
    return USAGE
