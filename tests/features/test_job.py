"""The jobs build-features and build-labels on a published book."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.features.job import build_features
from loanbook.features.label_job import build_labels
from loanbook.features.months import last_day
from loanbook.runs import Run
from loanbook.tables.features import FEATURES
from loanbook.tables.labels import LABELS
from loanbook.tables.outcomes import OUTCOMES
from tests.features.books import START, BookLoan, macro_of, publish

LAST = START + 14
BOOK = [
    BookLoan("a", 0, ("current", "dpd30", None, "dpd60", "dpd90") + ("current",) * 10),
    BookLoan("b", 1, ("current",) * 4 + ("prepaid",)),
    BookLoan("c", 2, ("current",) * 3),
    BookLoan("d", 5, ("current",) * 10),
]
MACRO = macro_of(("US", "unemployment", month, 1, 5.0 + month) for month in range(-12, 15))

MakeRun = Callable[..., Run]


def built(make_run: MakeRun, job: Callable[[Run], dict[str, Any]], **options: Any) -> dict[str, Any]:
    run = make_run(job.__name__, **options)
    return run.finish(job(run))


def rows_of(run: Run, *tables: Any) -> list[Any]:
    return [
        sorted((row.asDict() for row in run.read(table, made_by="test").collect()), key=str)
        for table in tables
    ]


def test_build_features_again_and_a_month_alone_give_the_same_rows(make_run: MakeRun) -> None:
    publish(make_run, BOOK, LAST, MACRO)
    result = built(make_run, build_features)
    first = rows_of(make_run(), FEATURES)
    assert (result["loans_in_book"], result["loan_months"]) == (2, 15 + 4 + 6 + 10)
    assert (result["first_month"], result["last_month"]) == (str(last_day(START)), str(last_day(LAST)))
    run = make_run("build-features", as_of=last_day(START + 6))
    alone = run.finish(build_features(run))
    assert alone["loan_months"] == alone["loans_in_book"] == 3
    assert rows_of(make_run(), FEATURES) == first
    assert built(make_run, build_features)["loan_months"] == 35
    assert rows_of(make_run(), FEATURES) == first
    assert set(run.inputs) == {"performance", "deliveries", "loans", "macro", "features"}
    files = make_run().read(FEATURES, made_by="test").inputFiles()
    assert len(files) == 15


def test_what_cannot_be_built_is_refused_and_writes_nothing(make_run: MakeRun) -> None:
    other = [row | {"source": "other"} for row in MACRO[:3]]
    publish(make_run, BOOK, LAST, MACRO + other)
    for as_of in (date(2019, 12, 31), last_day(LAST + 1), date(2020, 3, 15)):
        refuse(make_run("build-features", as_of=as_of), "from 2020-01-31 to 2021-03-31")
    refuse(make_run("build-features"), "unemployment of US from economy, other")
    refuse(make_run("build-features", "default_definition.cure_months=4"), "default definition")
    refuse(make_run("build-features", source="other"), "a source in the warehouse")


def refuse(run: Run, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        build_features(run)
    assert refused.value.exit_code == 2
    assert run.outputs == {}


def test_build_labels_after_a_crash_and_again_gives_the_same_rows(make_run: MakeRun) -> None:
    publish(make_run, BOOK, LAST)
    build_labels(make_run("build-labels"))  # not finished, as by a crash: nothing is published
    assert not make_run().exists(LABELS)
    result = built(make_run, build_labels)
    first = rows_of(make_run(), LABELS, OUTCOMES)
    counts = {"history_gap": 1, "in_default": 3, "not_matured": 26, "observed": 5}
    assert result["label_status"] == counts
    assert (result["default_12m"], result["loan_months"], result["outcomes"]) == (3, 35, 5)
    assert len(first[1]) == 5
    assert built(make_run, build_labels)["label_status"] == counts
    assert rows_of(make_run(), LABELS, OUTCOMES) == first
