"""What several checks send."""
