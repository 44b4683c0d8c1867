"""Curves held against what came about and against a truth, from rows whose hazards are known."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanbook.book.months import last_day, month_number
from loanbook.evaluation.curves import Followed, curve_rows, drawn_of, followed_of
from loanbook.evaluation.plots import curve_plots
from loanbook.evaluation.sample import Sample, concatenated
from loanbook.evaluation.true_curves import prepayment_rows, true_curve_rows, true_curves
from loanbook.models.follow_up import DEFAULT, NEITHER, PREPAYMENT
from loanbook.models.heads import head
from loanbook.models.incidence import aalen_johansen, incidences
from loanbook.settings.choice import Choice
from loanbook.settings.evaluate import EvaluateSettings

TARGET: Any = head(Choice(name="term_structure", curve_months=36))
FIRST, UNTIL = month_number(date(2018, 1, 31)), date(2020, 6, 30)
SETTINGS = EvaluateSettings()


def book(rows: int, seed: int = 1) -> tuple[Sample, Any]:
    """Loans of 24 months, known until 2020-06 or removed before, and their true incidences."""
    random = np.random.default_rng(seed)
    default = random.choice([0.004, 0.02], rows)[:, None] * np.ones(36)
    prepayment = np.full((rows, 36), 0.015)
    month = FIRST + random.integers(0, 24, rows)
    ahead = month_number(UNTIL) - month
    removed = random.geometric(0.004, rows)
    draws = random.random((rows, 36))
    ended = draws < default + prepayment
    first = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, 99)
    of_default = draws[np.arange(rows), np.minimum(first, 36) - 1] < default[:, 0]
    months = np.minimum(np.minimum(first, ahead), removed)
    event = np.where(months == first, np.where(of_default, DEFAULT, PREPAYMENT), NEITHER)
    frame = pd.DataFrame(
        {
            "source": "s", "loan_id": [f"L{k}" for k in range(rows)], "borrower": np.arange(rows),
            "as_of_date": [last_day(int(one)) for one in month], "weight": 1.0, "months": months,
            "event": event, "remaining_term": 100.0,
            "label": ((event == DEFAULT) & (months <= 12)).astype(float),
        }
    )  # fmt: skip
    raw = np.concatenate(incidences(default, prepayment, 1 - default - prepayment), axis=1)
    pd_12m = {"model": TARGET.pd(raw)}
    return Sample("test", frame, pd_12m, pd_12m, {"model": (raw, raw)}, 12), raw


def followed(rows: int = 20_000) -> Followed:
    part, _ = book(rows)
    (found,) = followed_of(TARGET, [part], {"known_until": {"later": str(UNTIL)}})
    return found


def test_the_right_curves_agree_with_what_was_observed_at_each_horizon() -> None:
    found = {row.metric: row for row in curve_rows(followed(), "fold0", SETTINGS)}
    assert {name.rpartition("_")[2] for name in found} == {"12m", "24m"}  # 29 months are the most
    for event in ("default", "prepayment"):
        for horizon in (12, 24):
            expected, seen = (found[f"{of}_{event}_{horizon}m"] for of in ("cif", "aalen_johansen"))
            assert seen.estimate == pytest.approx(expected.estimate, abs=0.012)
    assert found["cif_default_24m"].n < found["cif_default_12m"].n < 20_000


def test_borrowers_are_counted_before_anything_is_said_of_a_horizon() -> None:
    of = followed(2_000)
    of_few = replace(of.part, frame=of.part.frame.assign(borrower=np.arange(2_000) % 29))
    assert all(row.estimate is None for row in curve_rows(replace(of, part=of_few), "fold0", SETTINGS))
    assert all(row.estimate is not None for row in curve_rows(of, "fold0", SETTINGS))


def test_a_horizon_that_all_loans_were_lost_before_is_insufficient() -> None:
    of = followed(200)
    lost = of.part.frame.assign(months=3.0, event=NEITHER)
    found = list(curve_rows(replace(of, part=replace(of.part, frame=lost)), "fold0", SETTINGS))
    assert {row.metric for row in found} == {row.metric for row in curve_rows(of, "fold0", SETTINGS)}
    assert {(row.estimate, row.method) for row in found} == {(None, "insufficient")}


def test_the_interval_of_a_brier_score_is_over_blocks_as_long_as_its_horizon() -> None:
    of = followed(2_000)
    month = FIRST + np.random.default_rng(4).integers(0, 60, len(of.ahead))
    frame = of.part.frame.assign(as_of_date=[last_day(int(one)) for one in month])
    of = Followed(replace(of.part, frame=frame), of.curves, np.full(len(month), 99))
    found = {row.metric: row for row in curve_rows(of, "fold0", SETTINGS)}
    assert found["brier_default_12m"].method.endswith("by 5 blocks of at least 12 months")
    assert found["brier_default_24m"].method.endswith("no interval over time: two blocks")
    row, kept = found["brier_prepayment_24m"], ~((of.event == NEITHER) & (of.months < 24))
    came = (of.event == PREPAYMENT) & (of.months <= 24)
    squares = ((came - of.curves.at(24)[1]) ** 2)[kept]
    assert row.high == pytest.approx(
        squares.mean() + 1.95996 * squares.std() / np.sqrt(len(squares)), rel=1e-6
    )


def test_a_brier_score_is_that_of_a_loop_over_the_rows() -> None:
    of = followed(2_000)
    row = next(row for row in curve_rows(of, "fold0", SETTINGS) if row.metric == "brier_default_24m")
    squares, lost = [], 0
    for place in range(len(of.ahead)):
        if of.ahead[place] < 24:
            continue
        if of.event[place] == NEITHER and of.months[place] < 24:
            lost += 1
            continue
        came = of.event[place] == DEFAULT and of.months[place] <= 24
        squares.append((came - of.curves.default[place, 23]) ** 2)
    assert lost > 0
    assert f"less {lost} lost before" in row.method
    assert row.estimate == pytest.approx(np.mean(squares))
    assert row.low is not None
    assert row.low < np.mean(squares)


def test_few_defaults_state_nothing() -> None:
    found = list(curve_rows(followed(60), "fold0", SETTINGS))
    assert found
    assert {(row.estimate, row.method) for row in found} == {(None, "insufficient")}


def test_the_observed_curve_is_that_of_a_loop_and_allows_for_removal() -> None:
    of = followed(3_000)
    at_risk, sums, expected = 1.0, np.zeros(2), []
    for period in range(1, 37):
        those = of.months >= period
        came = [np.sum((of.months == period) & (of.event == code)) for code in (DEFAULT, PREPAYMENT)]
        hazards = np.array(came) / max(1, those.sum())
        sums = sums + at_risk * hazards
        at_risk *= 1 - hazards.sum()
        expected.append(sums)
    np.testing.assert_allclose(of.observed(), np.array(expected).T, rtol=1e-12)
    weighted = aalen_johansen(of.months, of.event, np.full(3_000, 2.5), 36)
    np.testing.assert_allclose(weighted, of.observed())


def write_truth(folder: Any, part: Sample, raw: Any) -> None:
    """The truth of every tenth loan, whose contract ends in 40 months or more, of every thirtieth in 30.

    0.2 % of the loans are removed each month, and ``raw`` is given that they are not.
    """
    removed = 0.002 * np.arange(1, 37)
    rows = []
    for place in range(0, len(part.label), 10):
        sums = [np.cumsum(half) * (1 - removed) for half in (raw[place, :36], raw[place, 36:])]
        events = [np.diff(of, prepend=0.0) for of in (*sums, removed)]
        for month in range(30 if place % 30 == 0 else 36):
            key = (part.frame["loan_id"][place], part.frame["as_of_date"][place], month + 1)
            rows.append((*key, *(of[month] for of in events), 0.0))
    names = [f"{way}_expected" for way in ("default", "prepayment", "removed", "matured")]
    frame = pd.DataFrame(rows, columns=["loan_id", "as_of_date", "month", *names])
    frame.astype({"month": "int16"}).to_parquet(folder / "curve-0.parquet")
    keys = part.frame[["loan_id", "as_of_date"]]
    truth = raw[:, 36:48].sum(axis=1)
    keys.assign(prepayment_12m_expected=truth).to_parquet(folder / "part-0.parquet")


def test_the_truth_itself_is_no_distance_from_the_truth_and_a_doubled_curve_is(tmp_path: Any) -> None:
    part, raw = book(900)
    write_truth(tmp_path, part, raw)
    (of,) = followed_of(TARGET, [part], {"known_until": {"later": str(UNTIL)}})
    truth = true_curves(of, tmp_path)
    assert truth is not None
    found = {row.metric: row for row in true_curve_rows(truth, "fold0")}
    assert {row.n for name, row in found.items() if name.endswith("24m")} == {90}
    assert {row.n for name, row in found.items() if name.endswith("36m")} == {60}
    assert found["kl_to_truth_pd_lifetime"].n == 30
    for name, row in found.items():
        assert row.estimate == pytest.approx(1.0 if name.startswith("mean") else 0.0, abs=1e-9)
    prepaid, ratio = prepayment_rows(of, tmp_path, "fold0")
    assert prepaid.estimate == pytest.approx(0, abs=1e-9)
    assert ratio.estimate == pytest.approx(1)
    assert ratio.n == 900
    write_truth(tmp_path, part, raw / 2)
    half_as_true = true_curves(of, tmp_path)
    assert half_as_true is not None
    found = {row.metric: row for row in true_curve_rows(half_as_true, "fold0")}
    assert found["mean_to_truth_curve_default_36m"].estimate == pytest.approx(2)
    assert (found["kl_to_truth_curve_default_36m"].estimate or 0) > 0.01


def test_loans_that_mature_within_12_months_are_not_held_against_a_truth_without_maturity(
    tmp_path: Any,
) -> None:
    part, raw = book(900)
    write_truth(tmp_path, part, raw)
    ends = np.arange(900) % 3 == 0
    part = replace(part, frame=part.frame.assign(remaining_term=np.where(ends, 12.0, 13.0)))
    mature = np.where(ends[:, None] & (np.arange(72) == 47), 0.5, raw)
    (of,) = followed_of(
        TARGET, [replace(part, vectors={"model": (raw, mature)})], {"known_until": {"later": str(UNTIL)}}
    )
    ratio = {row.metric: row for row in prepayment_rows(of, tmp_path, "fold0")}[
        "mean_to_truth_prepayment_12m"
    ]
    assert ratio.estimate == pytest.approx(1)
    assert ratio.n == 600
    unknown = of.part.frame.assign(remaining_term=np.nan)
    of = replace(of, part=replace(of.part, frame=unknown))
    assert list(prepayment_rows(of, tmp_path, "fold0")) == []


def test_no_curve_of_the_truth_and_no_curve_of_the_model_say_nothing(tmp_path: Any) -> None:
    assert true_curves(followed(100), tmp_path) is None
    part, _ = book(100)
    assert followed_of(head("default_12m"), [part], {"known_until": {"later": str(UNTIL)}}) == []


def test_what_is_expected_is_of_the_rows_at_risk_however_long_cohorts_were_followed() -> None:
    of = followed(20_000)
    # Cohorts that were followed for long are made those of the risky loans.
    risky = of.curves.default[:, 0] > 0.01
    biased = of.where(risky == (of.ahead > 17))
    seen, expected = biased.observed(), biased.expected()
    mean = np.average(biased.curves.default, axis=0)
    assert expected[0, 28] == pytest.approx(seen[0, 28], abs=0.02)
    assert abs(mean[28] - seen[0, 28]) > 0.05
    row = biased.where(np.arange(len(biased.ahead)) == 0)
    short = slice(0, int(row.months[0]))
    np.testing.assert_allclose(row.expected()[0, short], row.curves.default[0, short])


def test_a_plot_ends_where_rows_were_followed() -> None:
    drawn = drawn_of(followed(2_000))
    assert drawn.months[-1] == 29
    ((_, plot),) = curve_plots([drawn])
    assert plot.startswith("data:image/svg+xml;base64,")


def test_samples_of_origins_whose_curves_differ_in_length_are_put_together() -> None:
    one, raw = book(50)
    other = replace(one, vectors={"model": (raw[:, :60], raw[:, :60])})
    both = concatenated([one, other])
    assert len(both.label) == len(both.calibrated["model"]) == 100
