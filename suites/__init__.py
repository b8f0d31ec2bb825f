"""The suites: ``conformance`` runs against a target, ``selfcheck`` proves the suite itself."""
