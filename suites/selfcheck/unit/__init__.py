"""Checks of one module at a time."""
