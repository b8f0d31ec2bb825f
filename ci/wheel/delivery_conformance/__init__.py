"""Conformance suite for the delivery-session API: what `pip install delivery-conformance` puts on disk.

Use the commands `delivery-conformance` and `delivery-emulator`; there is nothing to import from here.
"""
