"""A model at earlier origins: its back-tests on their own test rows, and all origins' test rows together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from loanbook.evaluation.assess import Evaluation, assess, overall
from loanbook.evaluation.basis import Basis, on
from loanbook.evaluation.measures import INSUFFICIENT, PAIRED, minus
from loanbook.evaluation.sample import Sample, concatenated, predicted_sample
from loanbook.evaluation.vintages import with_vintages
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.artefact.earlier import earlier_origins
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.training.snapshot.fold import TEST, Fold
from loanbook.training.snapshot.read import open_snapshot
from loanbook.warehouse.storage import Storage

ALL_ORIGINS = "all"  # the fold of evaluations of the test rows of every origin


@dataclass(frozen=True)
class BackTest:
    """The model of an earlier origin, judged on the test rows of that origin."""

    artefact: Artefact
    fold: Fold
    test: Sample
    rows: Sequence[Evaluation]

    @property
    def is_trained(self) -> bool:
        """Return whether its origin held defaults enough to train on."""
        return self.artefact.status != INSUFFICIENT


def back_tests_of(
    storage: Storage,
    artefact: Artefact,
    loans: DataFrame | None,
    basis: Basis,
    settings: EvaluateSettings,
) -> list[BackTest]:
    """Return how a model did at earlier origins, the most recent first; none where it was not trained there.

    Args:
        storage: knows where models and snapshots live.
        artefact: the model of the most recent origin.
        loans: of its source, which tell vintages; None where they are gone.
        basis: what may be said of it.
        settings: how many defaults are needed to say anything.

    Raises:
        InputError: the snapshot of one is gone.
    """
    found = []
    for earlier in earlier_origins(storage, artefact):
        snapshot = open_snapshot(storage, earlier.snapshot_id)
        (test,) = with_vintages(loans, [predicted_sample(earlier, snapshot, TEST)])
        rows = on(basis, assess(test, snapshot.fold.name, settings))
        found.append(BackTest(earlier, snapshot.fold, test, rows))
    return found


def pooled_rows(
    test: Sample, back_tests: Sequence[BackTest], basis: Basis, settings: EvaluateSettings
) -> list[Evaluation]:
    """Return the metrics of the test rows of all origins, each predicted by its own; none of a single origin.

    Test months of two origins have no row in common, so their blocks tell the variation over time. Origins
    that held too few defaults to train on are left out: there is no such model to judge.
    """
    trained = [one.test for one in back_tests if one.is_trained]
    if not trained:
        return []
    together = concatenated([test, *trained])
    rows = [row for name in together.calibrated for row in overall(together, name, ALL_ORIGINS, settings)]
    return on(basis, rows)


def origin_lines(
    newest: tuple[Fold, Sequence[Evaluation]],
    back_tests: Sequence[BackTest],
    pooled: Sequence[Evaluation],
    reference: str,
) -> list[dict[str, Any]]:
    """Return what is said of each origin, the most recent first, and of all together; none of a single one.

    Args:
        newest: the fold of the model and its evaluations.
        back_tests: of earlier origins.
        pooled: evaluations of all test rows.
        reference: the predictor that the model is held against.
    """
    if not back_tests:
        return []
    each = [(*newest, True), *((one.fold, one.rows, one.is_trained) for one in back_tests)]
    lines = [
        {
            "origin": fold.name,
            "trained_to": str(fold.development_to),
            "test": f"{str(fold.test_from)[:7]} to {str(fold.test_to)[:7]}",
            "trained": trained,
            **_figures(rows, reference),
        }
        for fold, rows, trained in each
    ]
    if not pooled:
        return lines
    whole = {"origin": ALL_ORIGINS, "trained_to": None, "test": None, "trained": True}
    return [*lines, {**whole, **_figures(pooled, reference)}]


def _figures(rows: Iterable[Evaluation], reference: str) -> Mapping[str, Any]:
    whole = {(row.predictor, row.metric): row for row in rows if (row.sample, row.segment) == (TEST, "all")}
    model = whole[MODEL, "log_loss"]
    difference = whole.get((MODEL, minus(reference)))
    return {
        "rows": model.n,
        "defaulting_loans": model.defaults,
        "log_loss": model.estimate,
        "log_loss_of_reference": whole[reference, "log_loss"].estimate,
        "difference": None
        if difference is None or difference.estimate is None
        else [difference.estimate, difference.low, difference.high],
        "auc": whole[MODEL, "auc"].estimate,
        "expected": whole[MODEL, "expected_default_rate"].estimate,
        "observed": whole[MODEL, "observed_default_rate"].estimate,
        "clustered": "" if difference is None else difference.method.removeprefix(PAIRED).strip(),
    }
