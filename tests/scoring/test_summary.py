from loanbook.scoring.summary import summary_table, totals

ROWS = [
    {"state": "current", "loans": 900, "upb": 9e6, "expected_defaults": 9.0, "mean_pd": 0.01},
    {"state": "dpd30", "loans": 100, "upb": 1e6, "expected_defaults": 20.0, "mean_pd": 0.2},
    {"state": "in default", "loans": 10, "upb": 1e5, "expected_defaults": None, "mean_pd": 1.0},
]
SCORED = {
    "source": "s", "as_of": "2020-02-29", "model": "m", "model_version": "v1", "model_status": "ok",
    "uncalibrated": False, "event": "default within 12 months", "rank_only_because": None,
    "each_in_its_own_month": False, "predictor": "lightgbm", "predictor_because": "the least log loss",
    "model_reasons": [], "shortfalls": [], "out_of_support": None, "by_state": ROWS, **totals(ROWS),
}  # fmt: skip


def test_totals_average_over_performing_loans():
    assert totals(ROWS) == {
        "scores": 1010, "in_default": 10, "upb": 10_100_000.0, "expected_defaults": 29.0, "mean_pd": 0.029
    }  # fmt: skip


def test_the_table_reads_as_an_analyst_would_expect():
    lines = summary_table(SCORED).splitlines()
    assert lines[0] == "s at 2020-02-29: probability of default within 12 months, m v1"
    assert lines[-1] == "PDs by lightgbm: the least log loss"
    assert [line.split() for line in lines[1:-1]] == [
        ["state", "loans", "UPB", "mean", "PD", "expected", "defaults"],
        ["current", "900", "9,000,000", "1.00%", "9.0"],
        ["dpd30", "100", "1,000,000", "20.00%", "20.0"],
        ["performing", "1,000", "10,000,000", "2.90%", "29.0"],
        ["in", "default", "10", "100,000", "100.00%", "-"],
    ]
    assert len({len(line) for line in lines[1:-1]}) == 1


def test_weak_scores_come_with_their_caution():
    reasons = ["train: 3 defaulting loans", "8 months"]
    weak = {"model_status": "insufficient", "model_reasons": reasons, "uncalibrated": True}
    text = summary_table({**SCORED, **weak})
    assert "(insufficient): train: 3 defaulting loans; 8 months" in text
    assert text.endswith("uncalibrated")


def test_a_book_that_training_rows_do_not_support_is_told_with_the_inputs():
    beyond = {"loans": 1234, "share": 0.55, "inputs": {"age": 1200, "run": 90, "ltv": 8, "rate": 1}}
    assert summary_table({**SCORED, "out_of_support": beyond}).splitlines()[-1] == (
        "caution: 1,234 loans (55%) lie outside what the model was trained on, "
        "mostly by age (1,200), run (90), ltv (8)"
    )
    few = {"loans": 50, "share": 0.05, "inputs": {}}
    assert summary_table({**SCORED, "out_of_support": few}) == summary_table(SCORED)


def test_scores_of_several_months_are_told_as_such():
    text = summary_table({**SCORED, "each_in_its_own_month": True})
    assert text.startswith("s, each loan in its own month up to 2020-02-29: probability of default")


def test_pds_that_only_rank_are_not_summed_up():
    rows = [{**row, "expected_defaults": None, "mean_pd": None} for row in ROWS]
    found = totals(rows)
    assert (found["scores"], found["in_default"], found["expected_defaults"], found["mean_pd"]) == (
        1010, 10, None, None
    )  # fmt: skip
    lines = summary_table({**SCORED, "by_state": rows, **found, "rank_only_because": "no label"}).splitlines()
    assert [line.split()[-2:] for line in lines[2:6]] == [["-", "-"]] * 4
    assert lines[-1].endswith("(rank_only): no label")


def test_a_book_wholly_in_default_has_no_mean_pd():
    rows = [ROWS[2]]
    assert totals(rows)["mean_pd"] is None
    assert "100.00%" in summary_table({**SCORED, "by_state": rows, **totals(rows)})
