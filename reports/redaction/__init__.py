"""Redaction of whatever is written."""
