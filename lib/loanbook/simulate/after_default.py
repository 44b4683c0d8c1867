"""What the tape shows of a loan after default: cure, modification, REO and the ways out."""

import numpy as np

from loanbook.settings.simulate import DefaultProcess
from loanbook.simulate.draws import Array

STAYS, REINSTATED, MODIFIED, PREPAID_END, SHORT_SALE = range(5)
THIRD_PARTY, NOTE_SALE, TO_REO, REMOVED_END, DISPOSED = range(5, 10)
ENDINGS = 10


def ending_probabilities(p: DefaultProcess, months: Array, underwater: Array, reo: Array) -> Array:
    """Return the next month's probabilities of each ending, shape (n, 10); each row sums to 1.

    Args:
        p: the process's parameters.
        months: months delinquent, 3 or more, shape (n,).
        underwater: whether mtm_ltv exceeds 1, which makes short sales likelier and cures rarer.
        reo: whether the lender already owns the property; from there it can only be sold.

    >>> early, late, owned = ending_probabilities(
    ...     DefaultProcess(), np.array([3, 9, 9]), np.zeros(3, bool), np.array([False, False, True])
    ... )
    >>> early[NOTE_SALE], late[NOTE_SALE]  # no sale in the third month of delinquency
    (0.0, 0.004)
    >>> np.flatnonzero(owned).tolist() == [STAYS, DISPOSED], round(owned.sum(), 12)
    (True, 1.0)
    """
    out = np.zeros((len(months), ENDINGS))
    later = np.exp(-p.reinstated_decay * (months - 3))
    out[:, REINSTATED] = p.reinstated * later * np.where(underwater, 0.6, 1)
    out[:, MODIFIED] = p.modified * (months >= 4)
    out[:, PREPAID_END] = p.prepaid * np.where(underwater, 0.2, 1)
    out[:, SHORT_SALE] = p.short_sale * (months >= 5) * np.where(underwater, 1.6, 0.7)
    out[:, THIRD_PARTY] = p.third_party_sale * (months >= 6)
    out[:, NOTE_SALE] = p.note_sale * (months >= 9)
    out[:, TO_REO] = p.reo * (months >= 7)
    out[:, REMOVED_END] = p.removed
    out[reo] = 0
    out[reo, DISPOSED] = p.disposed
    out[:, STAYS] = 1 - out.sum(axis=1)
    return out
