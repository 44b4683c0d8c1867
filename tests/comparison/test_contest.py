import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loanbook.comparison.contest import Contest, contest_of
from loanbook.comparison.entrants import Entrant
from loanbook.comparison.learning import Learning, Learnt
from loanbook.comparison.page import Compared, lines_of, matrix, render, segment_tables, table
from loanbook.comparison.wording import conclusions
from loanbook.evaluation.basis import OF_DEFAULT, Basis
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.truth import TRUTH
from loanbook.evaluation.truth import Compared as Truth
from loanbook.models.calibration import logit, sigmoid
from loanbook.models.clustered import Floats
from loanbook.models.log_loss import log_loss
from loanbook.settings.evaluate import EvaluateSettings
from tests.evaluation.rows import frame


def entered(loans: int, role: str, seed: int) -> Sample:
    """Return a sample that ``deep`` knows best, ``wide`` nearly as well, and ``constant`` not at all."""
    rows, odds = frame(loans, seed)
    noise = np.random.default_rng(seed + 1).normal(size=(2, len(rows)))
    pds = {
        "deep": sigmoid(odds),
        "wide": sigmoid(odds + 0.05 * noise[0]),
        "constant": np.full(len(rows), float(rows["label"].mean())),
    }
    return Sample(role, rows, pds, pds)


@pytest.fixture(scope="module")
def contest() -> Contest:
    return held([entered(900, "test", 1), entered(900, "out_of_fold", 5)])


@pytest.fixture(scope="module")
def few() -> Contest:
    """A contest of too few defaults to compare anything."""
    return held([entered(20, "test", 1), entered(20, "out_of_fold", 5)])


@pytest.fixture(scope="module")
def page(contest: Contest) -> str:
    return render(compared(contest))


def held(samples: list[Sample]) -> Contest:
    development = samples[1]
    losses = {
        name: log_loss(development.label, pd, development.weight)
        for name, pd in development.calibrated.items()
    }
    return contest_of([(part, "fold0") for part in samples], losses, EvaluateSettings())


class Held:
    """Of an artefact what the page asks for."""

    def json(self, _: str) -> Any:
        return {"parameters": 1234}


SECONDS = {"deep": (12.0, False), "wide": (8.0, True), "constant": (None, True)}


def compared(contest: Contest) -> Compared:
    predictors = {"deep": "model", "wide": "model", "constant": "constant"}
    entrants = [
        Entrant(name, Held(), predictor, *SECONDS[name])  # type: ignore[arg-type]
        for name, predictor in predictors.items()
    ]
    about = {"Source": "tiny <1>"}
    return Compared(contest, entrants, {"deep": 50_000.0}, "constant", OF_DEFAULT, about)


def test_the_best_is_that_of_development_and_differences_are_of_the_test(contest: Contest) -> None:
    test, development = contest.samples
    losses = {
        name: log_loss(development.label, pd, development.weight)
        for name, pd in development.calibrated.items()
    }
    assert contest.best == min(losses, key=lambda name: losses[name])
    found = contest.difference("deep", "constant")
    assert found is not None
    own, other = (log_loss(test.label, test.calibrated[name], test.weight) for name in ("deep", "constant"))
    assert found.estimate == pytest.approx(own - other)
    assert found.high < 0
    opposite = contest.difference("constant", "deep")
    assert opposite is not None
    assert (opposite.estimate, opposite.low, opposite.high) == (-found.estimate, -found.high, -found.low)
    paired = [(row.predictor, row.metric) for row in contest.of("test") if "_minus_" in row.metric]
    assert paired == [
        ("deep", "log_loss_minus_wide"),
        ("deep", "log_loss_minus_constant"),
        ("wide", "log_loss_minus_constant"),
    ]
    assert contest.difference("deep", "constant", "state=current") is not None
    assert contest.difference("deep", "constant", "vintage=2019") is not None
    assert contest.value("wide", "log_loss", segment="year=2020") == contest.value("wide", "log_loss")


def test_what_the_data_decide_is_said_and_what_not(contest: Contest, few: Contest) -> None:
    said = " ".join(conclusions(replace(contest, best="deep")))
    assert re.search(r"tell it from constant \(0\.\d+ above it, 0\.\d+ to 0\.\d+\)", said)
    assert re.search(r"cannot tell it from wide \(.*\): \d+ defaulting loans leave this interval", said)
    against = " ".join(conclusions(replace(contest, best="constant")))
    assert "beaten beyond chance by deep" in against
    assert re.fullmatch(
        r"\d+ defaulting loans in the test: too few to compare anything\.", conclusions(few)[0]
    )
    assert len(conclusions(few)) == 1


def test_what_is_too_few_is_said_in_borrowers_where_they_have_several_loans() -> None:
    test, development = entered(900, "test", 1), entered(900, "out_of_fold", 5)
    of_few = replace(test, frame=test.frame.assign(borrower=np.arange(len(test.frame)) % 20))
    said = conclusions(held([of_few, development]))
    assert re.fullmatch(r"\d+ defaulting loans of 20 borrowers in the test: too few .*", said[0])


def test_nothing_is_best_where_development_holds_too_few_defaults() -> None:
    found = held([entered(900, "test", 1), entered(20, "out_of_fold", 5)])
    assert found.best is None
    (said,) = conclusions(found)
    assert "too few to say which one scores best" in said


def test_what_is_worse_than_the_constant_on_the_test_rows_is_not_best(contest: Contest) -> None:
    test, development = contest.samples
    wrong = replace(test, calibrated={**test.calibrated, "deep": 1 - test.calibrated["deep"]})
    losses = {"deep": 0.1, "wide": 0.2, "constant": 0.3}
    assert contest_of([(test, "f"), (development, "f")], losses, EvaluateSettings()).best == "deep"
    assert contest_of([(wrong, "f"), (development, "f")], losses, EvaluateSettings()).best == "wide"


def with_odds(part: Sample, name: str, of: Callable[[Floats], Floats]) -> Sample:
    """Return a sample with other odds of one entrant."""
    return replace(part, calibrated={**part.calibrated, name: sigmoid(of(logit(part.calibrated[name])))})


def test_what_each_falls_short_of_is_its_status(contest: Contest, few: Contest) -> None:
    off = [with_odds(part, "wide", lambda odds: odds + np.log(2)) for part in contest.samples]
    wrong = [with_odds(off[0], "deep", lambda odds: -odds - 4), off[1]]
    found = contest_of([(part, "f") for part in wrong], contest.losses, EvaluateSettings())
    assert [found.status(name) for name in found.names] == ["worse_than_constant", "off_level", "ok"]
    assert [contest.status(name) for name in contest.names] == ["ok", "ok", "ok"]
    page = render(compared(found))
    assert '<td class="status off">off_level</td>' in page
    assert "<b>wide</b>: off in level: mean PD 1." in page
    ranked = contest_of(
        [(part, "f") for part in off], contest.losses, EvaluateSettings(), Basis(rank_only="drawn")
    )
    assert ranked.status("wide") == "ok"
    assert few.status("deep") == "insufficient"


def test_each_is_held_against_each(contest: Contest) -> None:
    found = matrix(contest)
    names = [line["name"] for line in found]
    assert sorted(names) == sorted(contest.names)
    for line in found:
        for other, cell in zip(names, line["cells"], strict=True):
            by = contest.difference(line["name"], other)
            if line["name"] == other:
                assert cell == {"text": "", "interval": "", "kind": ""}
            else:
                assert by is not None
                assert float(cell["text"]) == pytest.approx(by.estimate, abs=1e-5)
                assert cell["kind"] == ("better" if by.high < 0 else "worse" if by.low > 0 else "")
    of_state = next(table for table in segment_tables(compared(contest)) if table["kind"] == "state")
    by = contest.difference("constant", contest.against, "state=current")
    assert by is not None
    assert of_state["lines"][0]["cells"][2]["text"] == f"{by.estimate:+.5f}"


def test_a_truth_is_held_against_every_entrant(contest: Contest, page: str) -> None:
    rows, odds = frame(900, 1)
    test, development = contest.samples
    assert rows["label"].tolist() == test.frame["label"].tolist()
    known = replace(test, calibrated={**test.calibrated, TRUTH: sigmoid(odds)})
    judged = [(test, "f"), (development, "f")]
    found = contest_of(judged, contest.losses, EvaluateSettings(), OF_DEFAULT, Truth(known, 0.9))
    assert found.names == ["deep", "wide", "constant"]
    assert found.value("deep", "kl_to_truth") == 0
    assert (found.value("constant", "kl_to_truth") or 0) > 0.01
    assert found.value(TRUTH, "log_loss") == pytest.approx(found.value("deep", "log_loss"))
    with_truth = render(compared(found))
    assert "KL to the truth" in with_truth
    assert "90% of the test rows that have a truth" in with_truth
    assert "KL to the truth" in table(compared(found))
    assert "KL to the truth" not in page


def test_rows_without_an_age_have_no_segment_of_it(contest: Contest) -> None:
    assert [row for row in contest.rows if row.segment.startswith("age=")]
    ageless = held([replace(part, frame=part.frame.assign(age=np.nan)) for part in contest.samples])
    assert not [row for row in ageless.rows if row.segment.startswith("age=")]


def test_lines_are_in_order_of_the_test_loss_with_what_each_cost(contest: Contest) -> None:
    lines = lines_of(compared(contest))
    losses = [float(line["test"]) for line in lines]
    assert losses == sorted(losses)
    by_name = {line["name"]: line for line in lines}
    assert {name: line["seconds"] for name, line in by_name.items()} == {
        "deep": "12 s", "wide": "8 s*", "constant": "before"
    }  # fmt: skip
    assert (by_name["deep"]["weights"], by_name["constant"]["weights"]) == ("1,234", "")
    assert by_name["constant"]["difference"] == ""
    assert by_name["deep"]["speed"] == "50,000"
    text = table(compared(contest)).splitlines()
    assert text[4] == "* of an earlier training, as its run recorded it"
    assert text[0].split()[:3] == ["status", "log", "loss,"]
    assert [line.split()[0] for line in text[1:4]] == [line["name"] for line in lines]


def test_the_page_stands_alone(page: str, few: Contest) -> None:
    assert page.count("<img") == 3  # differences from the best and from the baseline, and reliability
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "tiny &lt;1&gt;" in page
    for heading in ("by state", "by year", "by vintage", "by age"):
        assert f"Test log loss {heading}" in page
    assert page.count('class="better"') + page.count('class="worse"') > 4
    assert re.search(r"<td>unknown</td><td>270</td><td>\d+</td>", page)
    empty = render(compared(few))
    assert "too few to compare" in empty
    assert "<img" not in empty


def test_the_page_shows_how_networks_learnt_and_says_of_which_nothing_is_kept(
    contest: Contest, page: str
) -> None:
    losses = np.array([0.5, 0.3, 0.4])
    member = Learnt(np.arange(3.0), np.array([np.nan, 0.4, 0.2]), losses, kept=1, stopped_by=37)
    learning = {"deep": Learning("epoch", [member, member], "the next state"), "wide": None}
    learnt = render(replace(compared(contest), learning=learning))
    assert learnt.count("<img") == 4
    assert "Log loss of the next state." in learnt
    assert "Member 1: epoch 1 of 2, stopped by 37 defaulting borrowers." in learnt
    assert "<p>wide: no history kept.</p>" in learnt
    assert "Learning curves" not in page
