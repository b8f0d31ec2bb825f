"""Compares the contract with an OpenAPI document that somebody else publishes of the same two calls.

Three things can be said of a place where the two differ. The other document *lacks* what the contract says: it is silent,
and nothing follows from that. It has something *besides*, of which the contract is silent. Or it says *otherwise*: it describes
something that the named requirement rules out, or rules out something that it demands. A list that leaves something out is silent
about it.

``parse`` makes data of the text of a document, ``compare`` is a pure function of two documents. A document that cannot be compared is a
``DriftError``; so is a reference into another file, which is never followed.
"""

from contracts.drift.comparison import compare
from contracts.drift.difference import Difference, Drift, DriftError
from contracts.drift.document import RIGHT
from contracts.drift.text import parse

__all__ = ["RIGHT", "Difference", "Drift", "DriftError", "compare", "parse"]
