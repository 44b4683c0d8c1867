import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

from loanbook.evaluation.assess import assess
from loanbook.evaluation.curves import curve_rows, drawn_of
from loanbook.evaluation.findings import OF_MODEL, Findings, counts_of
from loanbook.evaluation.report import render
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.verdict import verdict
from loanbook.evaluation.wording import number
from loanbook.models.calibration import logit, sigmoid
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.training.snapshot.leavers import window_of
from tests.evaluation.rows import assessed, frame, made_up
from tests.evaluation.test_curves import followed

MODEL = {
    "name": "tiny-net", "version": "20200131-ab", "source": "tiny", "uncalibrated": False,
    "network": "net", "status": "insufficient", "reasons": ["3 months instead of 12"],
    "lineage": {"Training snapshot": "snap <1>"},
}  # fmt: skip


def findings(loans, **changes):
    samples, rows = assessed(loans)
    content = {
        "test": samples[0], "rows": list(rows), "samples": [counts_of(part) for part in samples],
        "truth": None, "model": MODEL, "settings": EvaluateSettings(),
        "sufficient": samples[0].defaulting_loans >= 30, **changes,
    }  # fmt: skip
    return Findings(**content)


def fine():
    """Return findings of a model without fault, whose test months no loan left."""
    return findings(
        600,
        level="mean PD 1.02 times the observed default rate",
        window=window_of({"rows": 900, "defaults": 90}, 0, {}),
    )


@cache
def page():
    """The page of ``fine``, drawn once for the tests that read it."""
    return render(fine())


@cache
def page_of_faults():
    """The page of a model with every fault that can be told in words, and of loans that left."""
    return render(
        findings(
            600,
            status="worse_than_constant",
            shortfalls=["worse than the constant baseline: its log loss"],
            of_best=["off in level: mean PD 2.00 times"],
            refused="no validation period: x",
            clustered=made_up(600).together.said,
            window=window_of({"rows": 900, "defaults": 90}, 100, {"current": 7, "dpd90": 3}),
        )
    )


def test_what_the_model_falls_short_of_stands_above_everything_else():
    short = page_of_faults()
    assert short.index("worse than the constant baseline") < short.index("<table>")
    assert "Scores made with it are flagged" in short
    assert "Scores made with it are flagged" not in page()
    assert re.search(r'class="status">ok</span>.*mean PD 1.02 times', page(), re.DOTALL)


def test_the_page_says_what_else_is_wrong():
    assert "which scores the book, falls short too" in page_of_faults()
    assert "off in level: mean PD 2.00 times" in page_of_faults()
    assert "there is no validation period: x" in page_of_faults()


def test_means_outside_of_their_interval_are_marked_of_both_predictors():
    samples, _ = assessed(600)
    off = sigmoid(np.log(3) + logit(samples[0].calibrated["logistic"]))
    test = replace(samples[0], calibrated={**samples[0].calibrated, "logistic": off})
    rows = [row for part in (test, samples[1]) for row in assess(part, "fold0", EvaluateSettings())]
    marked = [len(re.findall(r'class="off"', of)) for of in (render(findings(600, rows=rows)), page())]
    assert marked[0] >= marked[1] + 5


def test_figures_have_their_intervals():
    (auc,) = [
        row for row in findings(600).rows
        if (row.predictor, row.metric, row.sample, row.segment) == ("model", "auc", "test", "all")
    ]  # fmt: skip
    assert f"<td>{auc.estimate:.4f}<small>{auc.low:.4f} to {auc.high:.4f}</small></td>" in page()


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
    parser = Balance()
    parser.feed(page())
    assert parser.open == []
    assert len(parser.images) == 4
    assert all(image.startswith("data:image/svg+xml;base64,") for image in parser.images)
    assert not re.search(r'(src|href)="(?!data:)', page())
    assert "snap &lt;1&gt;" in page()
    assert "<li>3 months instead of 12</li>" in page()


def test_the_page_draws_curves_and_tells_what_was_observed_at_each_horizon():
    of = followed()
    rows = list(curve_rows(of, "fold0", EvaluateSettings()))
    found = findings(600)
    drawn = render(replace(found, rows=[*found.rows, *rows], drawn=[drawn_of(of)]))
    parser = Balance()
    parser.feed(drawn)
    assert parser.open == []
    assert len(parser.images) == 5
    expected = next(row for row in rows if row.metric == "cif_prepayment_24m")
    assert f"<td>{number(expected.estimate, 'rate')}</td>" in drawn
    assert "The curve" not in page()


def test_the_page_holds_the_numbers_of_the_evaluations():
    found = findings(600)
    for predictor in ("model", "logistic"):
        loss = next(
            row.estimate for row in found.rows
            if (row.sample, row.segment, row.metric, row.predictor) == ("test", "all", "log_loss", predictor)
        )  # fmt: skip
        assert f"<td>{loss:.5f}<small>" in page()


def test_a_truth_is_a_line_among_the_deciles():
    whole, (_, odds) = made_up(600), frame(600)
    known = replace(whole, calibrated={**whole.calibrated, "truth": sigmoid(odds)})
    assert "The dashed green line" in render(findings(600, with_truth=known))
    assert "The dashed green line" not in page()


def test_the_same_findings_give_the_same_page():
    assert render(fine()) == page()


@pytest.mark.parametrize("loans", [0, 20])
def test_a_page_without_enough_defaults_says_so_and_shows_no_metric(loans):
    empty = render(findings(loans))
    assert "Insufficient." in empty
    assert "30 borrowers are needed" in empty
    assert "<img" not in empty
    assert "AUC" not in empty


def test_a_level_that_is_wrong_by_age_alone_names_the_worst_band():
    whole, (_, odds) = made_up(3000), frame(3000)
    young = whole.frame["age"].to_numpy() == 7.0
    tilted = sigmoid(odds + np.where(young, -0.5, 0.4))
    part = Sample("test", whole.frame, whole.raw, {**whole.calibrated, "model": tilted})
    rows = assess(part, "fold0", EvaluateSettings())
    said = dict(verdict(rows, None, "logistic", OF_MODEL))["Level"]
    assert re.search(r"Of the 2 age bands, 2 are off: 1 too low \(.*\); 1 too high \(.*\)", said)
    assert re.search(r"The worst is age 0(00-012|25-036), further than chance takes the worst of 2\.$", said)
    tilted_page = render(findings(600, test=part, rows=rows))
    assert "<h2>By age</h2>" in tilted_page
    assert '<td class="off">' in tilted_page


def test_the_page_says_where_nothing_is_known_over_time():
    assert "clustered by borrower; no interval over time: one block" in page_of_faults()


def test_the_page_has_both_rates_and_the_states_that_loans_left_from():
    words = " ".join(page_of_faults().split())
    assert "10.00% of the test rows with a label defaulted. 100 further rows" in words
    assert "counts leavers, the rate is 9.00%. These loans left from current: 7, dpd90: 3." in words
    assert "No loan of the test months was removed" in page()


def test_numbers_as_the_page_shows_them():
    assert number(None, "rate") == "-"
    assert (number(0.98, "slope"), number(-0.2, "slope")) == ("0.980", "-0.200")
