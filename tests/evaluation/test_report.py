import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from loanbook.evaluation.assess import assess
from loanbook.evaluation.basis import OF_DEFAULT, on
from loanbook.evaluation.curves import curve_rows, drawn_of
from loanbook.evaluation.findings import OF_MODEL, Findings, counts_of
from loanbook.evaluation.report import render
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.verdict import verdict
from loanbook.evaluation.wording import number
from loanbook.models.calibration import logit, sigmoid
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.training.snapshot.leavers import window_of
from tests.evaluation.rows import frame, made_up
from tests.evaluation.test_curves import followed

MODEL = {
    "name": "tiny-net", "version": "20200131-ab", "source": "tiny", "uncalibrated": False,
    "network": "net", "status": "insufficient", "reasons": ["3 months instead of 12"],
    "lineage": {"Training snapshot": "snap <1>"},
}  # fmt: skip


def findings(loans, **changes):
    samples = [made_up(loans), made_up(loans // 2, "calibrate_check", 2)]
    rows = [row for part in samples for row in assess(part, "fold0", EvaluateSettings())]
    content = {
        "test": samples[0], "rows": rows, "samples": [counts_of(part) for part in samples], "truth": None,
        "model": MODEL, "settings": EvaluateSettings(),
        "sufficient": samples[0].defaulting_loans >= 30, **changes,
    }  # fmt: skip
    return Findings(**content)


def test_what_the_model_falls_short_of_stands_above_everything_else():
    short = {
        "status": "worse_than_constant",
        "shortfalls": ["worse than the constant baseline: its log loss"],
    }
    page = render(findings(600, **short))
    assert page.index("worse than the constant baseline") < page.index("<table>")
    assert "Scores made with it are flagged" in page
    fine = render(findings(600, level="mean PD 1.02 times the observed default rate"))
    assert "Scores made with it are flagged" not in fine
    assert re.search(r'class="status">ok</span>.*mean PD 1.02 times', fine, re.DOTALL)


def test_the_page_says_what_else_is_wrong():
    page = render(
        findings(600, of_best=["off in level: mean PD 2.00 times"], refused="no validation period: x")
    )
    assert "which scores the book, falls short too" in page
    assert "off in level: mean PD 2.00 times" in page
    assert "there is no validation period: x" in page


def test_means_outside_of_their_interval_are_marked_of_both_predictors():
    samples = [made_up(600), made_up(300, "calibrate_check", 2)]
    off = sigmoid(np.log(3) + logit(samples[0].calibrated["logistic"]))
    test = replace(samples[0], calibrated={**samples[0].calibrated, "logistic": off})
    rows = [row for part in (test, samples[1]) for row in assess(part, "fold0", EvaluateSettings())]
    marked = [
        len(re.findall(r'class="off"', page))
        for page in (render(findings(600, rows=rows)), render(findings(600)))
    ]
    assert marked[0] >= marked[1] + 5


def test_figures_have_their_intervals():
    (auc,) = [
        row for row in findings(600).rows
        if (row.predictor, row.metric, row.sample, row.segment) == ("model", "auc", "test", "all")
    ]  # fmt: skip
    assert f"<td>{auc.estimate:.4f}<small>{auc.low:.4f} to {auc.high:.4f}</small></td>" in render(
        findings(600)
    )


class Balance(HTMLParser):
    """Counts the tags that are open, and collects the text."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs)["src"])
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone_with_four_plots_and_closed_tags():
    page = render(findings(600))
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.images) == 4
    assert all(image.startswith("data:image/svg+xml;base64,") for image in parser.images)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "snap &lt;1&gt;" in page
    assert "<li>3 months instead of 12</li>" in page


def test_the_page_draws_curves_and_tells_what_was_observed_at_each_horizon():
    of = followed()
    rows = list(curve_rows(of, "fold0", EvaluateSettings()))
    found = findings(600)
    page = render(replace(found, rows=[*found.rows, *rows], drawn=[drawn_of(of)]))
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.images) == 5
    expected = next(row for row in rows if row.metric == "cif_prepayment_24m")
    assert f"<td>{number(expected.estimate, 'rate')}</td>" in page
    assert "The curve" not in render(found)


def test_the_page_holds_the_numbers_of_the_evaluations():
    found = findings(600)
    page = render(found)
    for predictor in ("model", "logistic"):
        loss = next(
            row.estimate for row in found.rows
            if (row.sample, row.segment, row.metric, row.predictor) == ("test", "all", "log_loss", predictor)
        )  # fmt: skip
        assert f"<td>{loss:.5f}<small>" in page


def test_a_truth_is_a_line_among_the_deciles():
    whole, (_, odds) = made_up(600), frame(600)
    known = replace(whole, calibrated={**whole.calibrated, "truth": sigmoid(odds)})
    assert "The dashed green line" in render(findings(600, with_truth=known))
    assert "The dashed green line" not in render(findings(600))


def test_the_same_findings_give_the_same_page():
    assert render(findings(600)) == render(findings(600))


@pytest.mark.parametrize("loans", [0, 20])
def test_a_page_without_enough_defaults_says_so_and_shows_no_metric(loans):
    page = render(findings(loans))
    assert "Insufficient." in page
    assert "30 borrowers are needed" in page
    assert "<img" not in page
    assert "AUC" not in page


def test_the_verdict_compares_with_baseline_and_truth():
    truth = {
        "rows": 1200,
        "rows_with_truth": 600,
        "log_loss": {"model": 0.30, "logistic": 0.34, "truth": 0.29},
        "kl": {"model": 0.012, "logistic": 0.03, "matrix": 0.04},
        "gap_closed": 0.7,
        "gap_closed_against": "matrix",
    }
    said = dict(
        verdict([row for row in findings(600).rows if row.sample == "test"], truth, "logistic", OF_MODEL)
    )
    assert list(said) == ["Ranking", "Level", "Scores", "Against the logistic baseline", "Against the truth"]
    assert "lower" in said["Against the logistic baseline"]
    assert (
        "0.29000 on 600 of the 1,200 rows, those that have a truth (the losses on these: model 0.30000, "
        "logistic 0.34000); the model is 0.01000 above it" in said["Against the truth"]
    )
    assert "0.01200 from the truth (mean KL), the baseline matrix 0.04000: 70%" in said["Against the truth"]


def test_a_level_that_is_right_in_the_mean_alone_is_not_called_right():
    whole, (_, odds) = made_up(3000), frame(3000)
    spread = sigmoid(1.9 * (odds + 2.0) - 2.6)
    spread *= whole.label.mean() / spread.mean()
    said = {}
    for name, pds in (("right", sigmoid(odds)), ("spread", spread)):
        part = Sample("test", whole.frame, whole.raw, {**whole.calibrated, "model": pds})
        rows = assess(part, "fold0", EvaluateSettings())
        said[name] = dict(verdict(rows, None, "logistic", OF_MODEL))["Level"]
    assert "is within the 95 % interval" in said["spread"]
    found = re.search(r"groups by PD.*?: (\d) too low .*?; (\d) too high", said["spread"])
    assert found is not None
    assert int(found[1]) >= 4
    assert int(found[2]) >= 1
    assert "The mean PD of each of the 10 groups by PD is within its own interval." in said["right"]


def test_a_level_that_is_wrong_by_age_alone_names_the_worst_band():
    whole, (_, odds) = made_up(3000), frame(3000)
    young = whole.frame["age"].to_numpy() == 7.0
    tilted = sigmoid(odds + np.where(young, -0.5, 0.4))
    part = Sample("test", whole.frame, whole.raw, {**whole.calibrated, "model": tilted})
    rows = assess(part, "fold0", EvaluateSettings())
    said = dict(verdict(rows, None, "logistic", OF_MODEL))["Level"]
    assert re.search(r"Of the 2 age bands, 2 are off: 1 too low \(.*\); 1 too high \(.*\)", said)
    assert re.search(r"The worst is age 0(00-012|25-036), further than chance takes the worst of 2\.$", said)
    page = render(findings(3000, test=part, rows=[*rows, *assess(part, "fold0", EvaluateSettings())]))
    assert "<h2>By age</h2>" in page
    assert '<td class="off">' in page


def level_of(part):
    return dict(verdict(assess(part, "fold0", EvaluateSettings()), None, "logistic", OF_MODEL))["Level"]


@pytest.mark.parametrize(
    ("slope", "said"),
    [(1.4, "too extreme: slope 0.7"), (0.6, "too near to each other: slope 1.6"), (1, None)],
)
def test_odds_that_are_spread_out_wrongly_are_said_to_be(slope, said):
    whole, (_, odds) = made_up(3000), frame(3000)
    level = level_of(replace(whole, calibrated={**whole.calibrated, "model": sigmoid(slope * odds)}))
    assert ("The odds are" in level) == (said is not None)
    if said:
        assert re.search(said + r"\d \(\d\.\d\d to \d\.\d\d\), where 1 is right\.", level)


@pytest.mark.parametrize(
    ("column", "kind", "worst"), [("state", "states", "dpd30"), ("vintage", "vintages", "2019")]
)
def test_a_level_that_is_wrong_in_a_state_or_a_vintage_names_it(column, kind, worst):
    whole, (_, odds) = made_up(3000), frame(3000)
    right = level_of(replace(whole, calibrated={**whole.calibrated, "model": sigmoid(odds)}))
    assert kind in right
    assert "further than chance" not in right.replace("no further", "")
    values = whole.state if column == "state" else whole.vintage
    wrong = sigmoid(odds + np.where(values == worst, -0.6, 0.0))
    level = level_of(replace(whole, calibrated={**whole.calibrated, "model": wrong}))
    assert re.search(rf"Of the \d {kind}, .* The worst is {column} {worst}, further than chance takes", level)


def test_of_pds_that_only_rank_no_level_is_said():
    rows = on(replace(OF_DEFAULT, rank_only="a case-control sample"), findings(600).rows)
    said = dict(verdict([row for row in rows if row.sample == "test"], None, "logistic", OF_MODEL))
    assert "Level" not in said


def test_the_page_says_where_nothing_is_known_over_time():
    found = findings(600)
    page = render(replace(found, clustered=found.test.together.said))
    assert "clustered by borrower; no interval over time: one block" in page


def test_the_page_has_both_rates_and_the_states_that_loans_left_from():
    window = window_of({"rows": 900, "defaults": 90}, 100, {"current": 7, "dpd90": 3})
    page = " ".join(render(findings(600, window=window)).split())
    assert "10.00% of the test rows with a label defaulted. 100 further rows" in page
    assert "counts leavers, the rate is 9.00%. These loans left from current: 7, dpd90: 3." in page
    stayed = render(findings(600, window=window_of({"rows": 900, "defaults": 90}, 0, {})))
    assert "No loan of the test months was removed" in stayed


def test_numbers_as_the_page_shows_them():
    assert number(None, "rate") == "-"
    assert (number(0.98, "slope"), number(-0.2, "slope")) == ("0.980", "-0.200")
