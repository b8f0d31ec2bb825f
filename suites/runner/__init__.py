"""The run: the pytest plugin, its options, and what it writes when it ends."""
