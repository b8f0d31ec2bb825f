"""`python -m delivery_conformance` is `delivery-conformance`, for an environment whose scripts are not on the path."""

import sys

from delivery_conformance._launcher import conformance

if __name__ == "__main__":
    sys.exit(conformance())
