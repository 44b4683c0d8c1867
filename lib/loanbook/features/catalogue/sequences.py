"""History: the last 12 months as fixed-length inputs of sequence models, the latest month last."""

from functools import partial

import numpy as np
import pyarrow as pa

from loanbook.features.catalogue.feature import Feature
from loanbook.features.engine.month_view import Known
from loanbook.features.engine.values import Values, ratio

MONTHS = 12

_Sequence = partial(
    Feature,
    theme="history",
    kind="sequence",
    actionable=False,
    expected_sign="?",
    roll_forward="path",
    known="report",
    default_input=False,
    reason_code="HSQ",
)


def _listed(months: list[Values]) -> pa.Array:
    """Return a list for each row of the values of ``months``, given with the latest first."""
    values = np.stack([value.data for value in reversed(months)], axis=1)
    known = np.stack([value.mask for value in reversed(months)], axis=1)
    rows, width = values.shape
    offsets = pa.array(np.arange(0, (rows + 1) * width, width, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel(), mask=~known.ravel()))


def _states(k: Known) -> pa.Array:
    states = [k.ago_state(month) for month in range(MONTHS)]
    return _listed([Values(state.astype(np.int32) + 1) for state in states])


def _balances(k: Known) -> pa.Array:
    original = k.term("original_cents")
    return _listed([ratio(upb, original) for upb in k.last("upb", MONTHS)])


def _incentives(k: Known) -> pa.Array:
    return _listed([Values(value.data / 100_000.0, value.valid) for value in k.last("incentive", MONTHS)])


FEATURES: tuple[Feature, ...] = (
    _Sequence(
        name="state_last_12m",
        type="ARRAY<INT>",
        unit="0 not reported, 1 current, 2 dpd30, 3 dpd60, 4 dpd90, 5 foreclosure, 6 reo, 7 inactive",
        description="State reported in each of the last 12 calendar months, this one last",
        reason_text="Payment states of the last year",
        compute=_states,
    ),
    _Sequence(
        name="upb_last_12m",
        type="ARRAY<DOUBLE>",
        unit="ratio to the amount at origination",
        description="Balance known in each of the last 12 calendar months, this one last; null "
        "where the loan was "
        "not in the book",
        reason_text="Balances of the last year",
        compute=_balances,
    ),
    _Sequence(
        name="incentive_last_12m",
        type="ARRAY<DOUBLE>",
        unit="percentage points",
        description="Incentive of each of the last 12 calendar months, this one last; null where "
        "it was not known",
        reason_text="Rate incentives of the last year",
        known="publication",
        compute=_incentives,
    ),
)
