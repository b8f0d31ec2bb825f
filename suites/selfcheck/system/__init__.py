"""Checks of the whole command, the wheel, CI and other tools."""
