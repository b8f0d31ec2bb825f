"""The Hypothesis profiles: how many examples a generated check makes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

#: Examples that each generated check makes, by the name of the profile.
EXAMPLES = {"smoke": 1, "standard": 2, "thorough": 60}


def register() -> None:
    """Register the profiles with Hypothesis, and let it keep nothing in the working directory, which may be read-only.

    What the user has set as the place of Hypothesis stays.
    """
    # Imported here: only where examples are generated.
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.configuration import set_hypothesis_home_dir

    if "HYPOTHESIS_STORAGE_DIRECTORY" not in os.environ:
        set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"delivery-conformance-{os.getuid()}" / "hypothesis")
    for name, count in EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=count,
            derandomize=name != "thorough",
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
