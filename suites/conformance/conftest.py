"""Loads the suite's plugin for the tests that run against a target."""

from suites.plugin import *  # noqa: F403
from suites.plugin import pytest_addoption as pytest_addoption
