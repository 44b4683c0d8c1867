"""How many random examples a property is tested on: ``TEST_EXAMPLES`` of the environment decides.

``quick`` (``make check``) takes a third of them, ``usual`` all, both the same ones in each run, so that a red
run can be repeated; ``long`` (``make test-long``) takes 25 times as many, others in each run.
"""

import os

from hypothesis import HealthCheck, settings

SHARES = {"quick": 1 / 3, "usual": 1, "long": 25}
BUDGET = os.environ.get("TEST_EXAMPLES", "usual")
if BUDGET not in SHARES:
    raise ValueError(f"TEST_EXAMPLES is {BUDGET!r}, none of {', '.join(SHARES)}")

# A busy machine is no failure. What a long run finds is printed with what repeats it.
PROFILE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=BUDGET != "long",
    database=None,
    print_blob=True,
)


def examples(usual: int) -> settings:
    """Return the settings of a property tested on ``usual`` examples, or on their share; never below two.

    Of hypothesis's examples the first is the simplest there is, so that one alone would test little.
    """
    return settings(PROFILE, max_examples=max(2, round(usual * SHARES[BUDGET])))
