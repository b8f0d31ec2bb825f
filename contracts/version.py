"""The version of the suite, written here and nowhere else: the build reads it from this file, the reports import it."""

VERSION = "0.1.0"
