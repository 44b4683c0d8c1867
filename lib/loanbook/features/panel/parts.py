"""The inputs of loans that go on from the running state, and of those made from their beginning."""

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day
from loanbook.features.as_known.first_versions import Restated
from loanbook.features.panel.inputs import PanelInputs
from loanbook.features.plan.increment import Step


def panel_parts(
    inputs: PanelInputs, step: Step, restated: Restated | None, state: DataFrame | None
) -> list[PanelInputs]:
    """Return the inputs of the loans that go on from the running state, and of those made anew.

    Args:
        inputs: of every loan of the source, for all of the step's months.
        step: the months to write.
        restated: loans whose reports were known otherwise.
        state: the running state to go on from, None where every month is built.
    """
    performance, loans = inputs.performance, inputs.loans
    if step.built is None or state is None:
        rows = (performance, loans) if restated is None else restated.with_others(performance, loans)
        return [replace(inputs, performance=rows[0], loans=rows[1])]
    later = performance.where(F.col("as_of_date") > F.lit(last_day(step.built)))
    new_months = replace(inputs.plan, first_month=step.built + 1)
    onward = PanelInputs(later, loans, new_months, inputs.stamp, state)
    if restated is not None:
        own = PanelInputs(restated.reports, restated.terms(loans), new_months, inputs.stamp)
        return [_of(onward, [restated.others(rows) for rows in (later, loans, state)]), own]
    if step.corrected is None:
        return [onward]
    corrected = F.broadcast(step.corrected.select("loan_id"))
    others = [rows.join(corrected, "loan_id", "left_anti") for rows in (later, loans, state)]
    anew = [rows.join(corrected, "loan_id", "left_semi") for rows in (performance, loans)]
    return [_of(onward, others), replace(inputs, performance=anew[0], loans=anew[1])]


def _of(inputs: PanelInputs, rows: list[DataFrame]) -> PanelInputs:
    return replace(inputs, performance=rows[0], loans=rows[1], state=rows[2])
