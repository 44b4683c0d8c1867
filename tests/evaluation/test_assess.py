import dataclasses

import numpy as np
import pytest

from loanbook.evaluation.assess import assess
from loanbook.evaluation.measures import INSUFFICIENT
from loanbook.evaluation.sample import prediction_rows
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.log_loss import log_loss
from loanbook.settings.evaluate import EvaluateSettings
from tests.evaluation.rows import MONTHS, made_up

SETTINGS = EvaluateSettings()
SEGMENTS = (
    "state=current", "state=dpd30", "year=2020", "vintage=2018", "vintage=2019", "vintage=unknown",
    "age=000-012", "age=025-036",
)  # fmt: skip


def by_metric(rows, predictor="model", segment="all"):
    return {row.metric: row for row in rows if (row.predictor, row.segment) == (predictor, segment)}


def test_each_metric_stands_once_for_each_predictor_and_segment():
    rows = assess(made_up(), "fold0", SETTINGS)
    keys = [(row.predictor, row.segment, row.metric) for row in rows]
    assert len(keys) == len(set(keys))
    segments = {row.segment for row in rows}
    assert segments == {
        "all", *SEGMENTS,
        *(f"decile={k:02d}" for k in range(1, 11)), *(f"month={day:%Y-%m}" for day in MONTHS),
    }  # fmt: skip


def test_out_of_fold_ranks_are_within_members():
    part = made_up()
    part = dataclasses.replace(part, frame=part.frame.assign(member=np.arange(len(part.label)) % 2))
    whole = by_metric(assess(part, "fold0", SETTINGS))
    assert whole["ks"].method == "Kolmogorov-Smirnov, pairs within each of 2 members"
    assert whole["ks"].estimate != by_metric(assess(made_up(), "fold0", SETTINGS))["ks"].estimate


def test_estimates_and_counts_are_those_of_the_rows():
    part = made_up()
    whole = by_metric(assess(part, "fold0", SETTINGS))
    assert whole["log_loss"].estimate == pytest.approx(
        log_loss(part.label, part.calibrated["model"], part.weight)
    )
    assert whole["observed_default_rate"].estimate == pytest.approx(part.label.mean())
    assert (whole["auc"].n, whole["auc"].loans) == (1800, 600)
    assert whole["auc"].defaults == part.frame.loc[part.label > 0, "loan_id"].nunique()
    assert whole["f1"].method == "at PD >= 0.2"


def test_the_paired_difference_is_that_of_the_log_losses_with_an_interval():
    rows = assess(made_up(), "fold0", SETTINGS)
    model, logistic = by_metric(rows), by_metric(rows, "logistic")
    difference = model["log_loss_minus_logistic"]
    assert difference.estimate == pytest.approx(model["log_loss"].estimate - logistic["log_loss"].estimate)
    assert difference.low < difference.estimate < difference.high < 0
    assert "log_loss_minus_logistic" not in logistic


def test_the_share_out_of_support_is_the_models_where_the_rows_tell_it():
    part = made_up()
    weight = np.where(np.arange(len(part.label)) % 4 == 0, 3.0, 1.0)
    told = part.frame.assign(out_of_support=np.arange(len(part.label)) % 4 == 0, weight=weight)
    rows = assess(dataclasses.replace(part, frame=told), "fold0", SETTINGS)
    assert by_metric(rows)["out_of_support"].estimate == 0.5
    assert [row.predictor for row in rows if row.metric == "out_of_support"] == ["model"]
    assert "out_of_support" not in by_metric(assess(part, "fold0", SETTINGS))


def test_month_rates_average_to_the_whole():
    rows = assess(made_up(), "fold0", SETTINGS)
    months = [by_metric(rows, segment=f"month={day:%Y-%m}") for day in MONTHS]
    whole = by_metric(rows)
    for name in ("expected_default_rate", "observed_default_rate"):
        assert np.mean([month[name].estimate for month in months]) == pytest.approx(whole[name].estimate)


def test_a_slice_with_few_defaulting_loans_states_nothing():
    rows = assess(made_up(loans=30), "fold0", SETTINGS)
    assert {row.segment for row in rows} == {"all", *SEGMENTS}
    assert {row.method for row in rows} == {INSUFFICIENT}
    assert {row.estimate for row in rows} == {None}
    assert set(by_metric(rows)) == set(by_metric(assess(made_up(), "fold0", SETTINGS)))


def test_loans_not_rows_make_a_slice_sufficient():
    part = made_up(loans=300)
    few = part.part(np.isin(part.loan, np.unique(part.loan[part.label > 0])[:29]))
    assert few.label.sum() >= 30
    assert by_metric(assess(few, "fold0", SETTINGS))["auc"].method == INSUFFICIENT


def test_a_state_with_few_defaulting_loans_states_nothing_while_the_others_do():
    settings = EvaluateSettings(min_defaults=40)
    part = made_up(loans=250)
    rows = assess(part, "fold0", settings)
    states = {name: by_metric(rows, segment=f"state={name}") for name in ("current", "dpd30")}
    assert states["dpd30"]["auc"].defaults < 40 <= states["current"]["auc"].defaults
    assert (states["dpd30"]["auc"].estimate, states["dpd30"]["auc"].method) == (None, INSUFFICIENT)
    assert states["current"]["auc"].estimate > 0.5


def test_an_age_band_is_judged_on_its_own_rows():
    part = made_up()
    young = by_metric(assess(part, "fold0", SETTINGS), segment="age=000-012")
    rows = part.frame["age"].to_numpy() == 7.0
    assert young["observed_default_rate"].estimate == pytest.approx(part.label[rows].mean())
    assert young["auc"].n == rows.sum()


def test_a_vintage_is_judged_on_its_own_rows_and_few_defaults_say_nothing():
    part = made_up()
    rows = assess(part, "fold0", SETTINGS)
    of_year = part.frame["vintage"].to_numpy() == 2019.0
    found = by_metric(rows, segment="vintage=2019")
    assert found["observed_default_rate"].estimate == pytest.approx(part.label[of_year].mean())
    assert found["auc"].n == of_year.sum()
    few = np.where(np.arange(len(part.label)) < 40, 2011, part.frame["vintage"])
    young = dataclasses.replace(part, frame=part.frame.assign(vintage=few))
    rare = by_metric(assess(young, "fold0", SETTINGS), segment="vintage=2011")
    assert {(row.estimate, row.method) for row in rare.values()} == {(None, INSUFFICIENT)}


@pytest.mark.parametrize("kind", ["vintage", "age"])
def test_a_kind_of_segment_that_no_row_tells_is_left_out(kind):
    part = made_up()
    found = assess(dataclasses.replace(part, frame=part.frame.assign(**{kind: np.nan})), "fold0", SETTINGS)
    assert not [row for row in found if row.segment.startswith(f"{kind}=")]


def test_loans_in_arrears_do_not_count_for_the_auc_of_current_loans():
    part = made_up(2000)
    known = np.where(part.state == "current", 0.02, 0.9)  # knows the arrears and nothing else
    blunt = dataclasses.replace(part, calibrated={**part.calibrated, "model": known})
    whole = by_metric(assess(blunt, "fold0", SETTINGS))
    assert whole["auc"].estimate > 0.55
    assert whole["auc_current"].estimate == 0.5
    more = part.part(part.state == "current").defaulting_loans + 1
    few = by_metric(assess(part, "fold0", EvaluateSettings(min_defaults=more)))
    assert (few["auc_current"].estimate, few["auc_current"].method) == (None, INSUFFICIENT)
    assert few["auc"].estimate is not None


def test_no_rows_at_all_are_insufficient_too():
    part = made_up()
    rows = assess(part.part(np.zeros(1800, bool)), "fold0", SETTINGS)
    assert {row.method for row in rows} == {INSUFFICIENT}
    assert {row.n for row in rows} == {0}


def test_predictions_hold_every_output_of_a_head_with_several():
    part = made_up(5)
    moves = np.random.default_rng(1).dirichlet((1, 1, 1), len(part.label))
    several = dataclasses.replace(part, vectors={"model": (moves, moves[:, ::-1])})
    rows = prediction_rows(several.part(part.month == "2020-02"), Artefact("net", "1", {}), "fold0")
    mine, other = (rows[rows["predictor"] == name] for name in ("model", "logistic"))
    np.testing.assert_array_equal(np.array(mine["outputs_raw"].tolist()), moves[part.month == "2020-02"])
    np.testing.assert_array_equal(mine["outputs"].iloc[0], mine["outputs_raw"].iloc[0][::-1])
    assert other["outputs"].isna().all()
