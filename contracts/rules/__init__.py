"""Rules: what one answer breaks by itself."""
