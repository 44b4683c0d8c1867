"""What the data can and cannot decide between the compared, in sentences."""

from collections.abc import Sequence

from loanbook.comparison.contest import Contest

DEVELOPMENT = {
    "out_of_fold": "out of fold",
    "calibrate_check": "on loans kept aside",
    "validation": "in the validation period",
}


def conclusions(contest: Contest) -> list[str]:
    """Return which entrants the test rows tell from the best, which not, and what would."""
    if not contest.sufficient:
        return [f"{contest.samples[0].defaulting} in the test: too few to compare anything."]
    test, development = contest.samples
    where = DEVELOPMENT.get(development.role, development.role)
    if contest.best is None:
        return [f"{development.defaulting} in development ({where}): too few to say which one scores best."]
    best = contest.best
    told: list[str] = []
    open_: list[str] = []
    ahead: list[str] = []
    for name in contest.names:
        found = None if name == best else contest.difference(name, best)
        if found is None:
            continue
        if found.low > 0:
            told.append(f"{name} ({found.estimate:.5f} above it, {found.low:.5f} to {found.high:.5f})")
        elif found.high < 0:
            ahead.append(f"{name} ({-found.estimate:.5f} below it, {-found.high:.5f} to {-found.low:.5f})")
        else:
            open_.append(f"{name} ({found.estimate:+.5f}, {found.low:+.5f} to {found.high:+.5f})")
    said = [
        f"On development loans ({where}) {best} has the least log loss of those that are not worse than the "
        "constant on the test rows."
    ]
    if ahead:
        said.append(f"On the test rows it is beaten beyond chance by {_listed(ahead)}.")
    if told:
        said.append(f"The test rows tell it from {_listed(told)}.")
    if open_:
        said.append(
            f"The test rows cannot tell it from {_listed(open_)}: {test.defaulting} "
            f"leave {'these intervals' if len(open_) > 1 else 'this interval'} around 0. An interval half as "
            "wide needs four times as many."
        )
    said.append(f"The intervals are {test.together.said}.")
    return said


def _listed(items: Sequence[str]) -> str:
    """Return items as a sentence has them.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
