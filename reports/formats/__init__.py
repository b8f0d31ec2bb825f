"""The forms of a report: JSON, Markdown, the terminal, the shell."""
