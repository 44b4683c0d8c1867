"""A calibration for each state that enough loans default from; the other states share one.

A chain of moves errs by the state that it starts from: what is learnt of rare moves from arrears differs from
what is learnt of the many rows that are current.
"""

from collections.abc import Mapping

import numpy as np

from loanbook.book.state_moves import UNKNOWN
from loanbook.models.calibration import Calibration, Words
from loanbook.models.calibration_choice import choose_calibration, mean_shift
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.settings.train import CalibrationSettings


def calibration_by_state(
    rows: CalibrationRows, state: Words, settings: CalibrationSettings, min_defaults: int
) -> Calibration:
    """Return the calibration of the states that share one, with those of the others in ``by_state``.

    Where what is left over holds too few defaulting loans by itself, it has the calibration of all rows.

    Args:
        rows: that the model was not fitted on.
        state: of each, as scoring will know it; those that are ``unknown`` have none of their own.
        settings: as for ``choose_calibration``; a mean PD that is wanted is that of all rows together.
        min_defaults: defaulting loans that a state needs for its own.
    """
    alone = settings.model_copy(update={"central_tendency": None})
    named = [one for one in np.unique(state) if one != UNKNOWN]
    own = [one for one in named if rows.where(state == one).defaulting_loans >= min_defaults]
    rest = ~np.isin(state, own)
    shared = rows.where(rest) if rows.where(rest).defaulting_loans >= min_defaults else rows
    found = choose_calibration(shared, alone, min_defaults).model_copy(
        update={
            "by_state": {
                str(one): choose_calibration(rows.where(state == one), alone, min_defaults) for one in own
            }
        }
    )
    return _with_mean(found, rows, state, settings)


def _with_mean(
    calibration: Calibration, rows: CalibrationRows, state: Words, settings: CalibrationSettings
) -> Calibration:
    """Return the calibrations all shifted alike, so that the mean PD of the rows is the one wanted."""
    used = rows.recent_places(settings.window_months)
    recent = rows.recent(settings.window_months, settings.half_life_months)
    before = calibration.apply_by_state(recent.pd, state[used])
    shifted = mean_shift(before, recent.weight, settings.central_tendency)
    parts: Mapping[str, Calibration] = calibration.by_state
    by_state = {name: one.model_copy(update=shifted) for name, one in parts.items()}
    return calibration.model_copy(update={**shifted, "by_state": by_state})
