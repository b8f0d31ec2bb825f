"""Loads the suite's plugin for the tests that run against a target."""

from suites.runner.plugin import *  # noqa: F403
from suites.runner.plugin import pytest_addoption as pytest_addoption
