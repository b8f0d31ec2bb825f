"""Results and verdicts, redaction of outputs, and every form in which a run is reported."""
