"""The suite's plugin, as ``suites/conformance`` has it."""

from suites.plugin import *  # noqa: F403
from suites.plugin import pytest_addoption as pytest_addoption
