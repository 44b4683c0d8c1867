"""What a model falls short of: baselines that are better on the same rows, and a level that is right.

| log loss less the constant's | less the logistic's, interval | the model is |
|---|---|---|
| -0.020 | -0.003, -0.005 to -0.001 | ``ok`` |
| -0.010 | +0.002, +0.001 to +0.003 | ``worse_than_logit`` |
| -0.010 | +0.002, -0.001 to +0.005 | ``ok``: no difference beyond chance |
| +0.008 | +0.020, +0.010 to +0.030 | ``worse_than_constant``, ``worse_than_logit`` |

Beside these it is ``off_level`` where level.py says that its level is wrong.
"""

from collections.abc import Mapping

from loanbook.models.clustered import Floats, Interval
from loanbook.models.level import Level
from loanbook.models.log_loss import log_losses
from loanbook.models.together import Together

CONSTANT, LOGISTIC = "constant", "logistic"  # modules of loanbook.models.baselines
WORSE_THAN_CONSTANT, WORSE_THAN_LOGIT = "worse_than_constant", "worse_than_logit"
OFF_LEVEL = "off_level"
SHORTFALLS = (WORSE_THAN_CONSTANT, WORSE_THAN_LOGIT, OFF_LEVEL)
ROUNDING = 1e-6  # of a log loss: probabilities are float32


def log_loss_difference(
    label: Floats,
    model: Floats,
    other: Floats,
    weight: Floats,
    together: Together,
) -> Interval:
    """Return a model's mean log loss less another's on the same rows; below 0 the model is better.

    Args:
        label: 1 where the event came about.
        model: its PDs.
        other: those of the other.
        weight: of each row.
        together: which rows the interval is clustered by.
    """
    return together.mean(log_losses(label, model) - log_losses(label, other), weight)


def shortfalls_of(differences: Mapping[str, Interval], level: Level | None = None) -> list[str]:
    """Return what a model falls short of, the gravest first.

    It must be better than the constant, whatever the noise, or it says nothing of a loan; it must not be
    worse than the logistic regression beyond chance; and its level must not be wrong beyond chance. A
    baseline that was not fitted is not held against it.

    Args:
        differences: baseline to the model's log loss less its, on rows that none was fitted on.
        level: of its PDs; None where none is claimed.

    >>> shortfalls_of({"constant": Interval(0.01, -0.01, 0.03), "logistic": Interval(0.02, -0.01, 0.05)})
    ['worse_than_constant']
    >>> shortfalls_of({"constant": Interval(-0.1, -0.2, 0.0), "logistic": Interval(0.02, 0.01, 0.03)})
    ['worse_than_logit']
    """
    found = []
    if CONSTANT in differences and differences[CONSTANT].estimate > ROUNDING:
        found.append(WORSE_THAN_CONSTANT)
    if LOGISTIC in differences and differences[LOGISTIC].low > ROUNDING:
        found.append(WORSE_THAN_LOGIT)
    if level is not None and level.is_off:
        found.append(OFF_LEVEL)
    return found


def said_of(shortfall: str, differences: Mapping[str, Interval], level: Level | None = None) -> str:
    """Return a shortfall in words, with its figures.

    >>> said_of("worse_than_logit", {"logistic": Interval(0.02, 0.01, 0.03)})
    'worse than the logistic baseline: its log loss out of sample is 0.02000 higher (0.01000 to 0.03000)'
    """
    if shortfall == OFF_LEVEL:
        return f"off in level: {level}"
    baseline = CONSTANT if shortfall == WORSE_THAN_CONSTANT else LOGISTIC
    by = differences[baseline]
    return (
        f"worse than the {baseline} baseline: its log loss out of sample is {by.estimate:.5f} higher "
        f"({by.low:.5f} to {by.high:.5f})"
    )
