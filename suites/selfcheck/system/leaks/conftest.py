"""The suite's plugin, as ``suites/conformance`` has it."""

from suites.runner.plugin import *  # noqa: F403
from suites.runner.plugin import pytest_addoption as pytest_addoption
