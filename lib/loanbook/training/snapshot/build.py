"""Features and labels at pinned versions to a training snapshot."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.models.inputs.fitting import fit_spec
from loanbook.models.inputs.model_inputs import model_inputs, require_columns
from loanbook.models.inputs.spec import InputSpec, column_of
from loanbook.settings.train import workers_of_member
from loanbook.tables.columns import LOAN_MONTH
from loanbook.training.snapshot.counts import count_borrowers, count_roles, count_statuses, together
from loanbook.training.snapshot.fold import TEST, Fold
from loanbook.training.snapshot.leavers import leavers_of
from loanbook.training.snapshot.origins import folds_for, origin_of
from loanbook.training.snapshot.read import KEPT, Snapshot
from loanbook.training.snapshot.row_groups import MAX_ROWS, choose_size, in_row_groups, verify_groups
from loanbook.training.snapshot.sampling import thinned_rows
from loanbook.training.snapshot.snapshot_request import SnapshotRequest
from loanbook.training.snapshot.splits import (
    in_development,
    known_months,
    known_until,
    role_column,
    with_enough_defaults,
)
from loanbook.warehouse.storage import Storage, is_complete, published_folder, write_json

logger = logging.getLogger(__name__)


def ensure_snapshot(
    storage: Storage,
    request: SnapshotRequest,
    features: DataFrame,
    tables: Mapping[str, DataFrame],
    borrowers: DataFrame | None = None,
) -> Snapshot:
    """Return the request's snapshot, writing it if it is not there yet.

    Args:
        storage: knows where snapshots live.
        request: what it is made of.
        features: at the request's version.
        tables: those that the head's targets are made from, by name, at the request's versions.
        borrowers: ``loan_id`` and ``borrower`` of the loans whose borrower is known; any other has its own.

    Raises:
        InputError: the features lack a candidate's column, no input varies, or there is no such origin.
    """
    target = storage.snapshot_folder(request.snapshot_id)
    if not is_complete(target):
        book = _book(request, features)
        outcomes = _outcomes(request, book, tables, borrowers).persist()
        try:
            with published_folder(target) as folder:
                _write(request, book, outcomes, folder)
        finally:
            outcomes.unpersist()
    return Snapshot(target)


def _book(request: SnapshotRequest, features: DataFrame) -> DataFrame:
    read = [*KEPT, *(column_of(item.expression) for item in request.candidates)]
    require_columns(features, read)
    return features.where(F.col("source") == request.source).select(*dict.fromkeys(read))


def _outcomes(
    request: SnapshotRequest, book: DataFrame, tables: Mapping[str, DataFrame], borrowers: DataFrame | None
) -> DataFrame:
    """Return key, state, borrower, label, label status and targets of every row of the book.

    They are few columns, for many steps.
    """
    of_source = {name: table.where(F.col("source") == request.source) for name, table in tables.items()}
    keys = book.select(*LOAN_MONTH, "state")
    if borrowers is None:
        known = keys.withColumn("borrower", F.col("loan_id"))
    else:
        joined = keys.join(borrowers, "loan_id", "left")
        known = joined.withColumn("borrower", F.coalesce("borrower", "loan_id"))
    found = known.join(request.head.targets(of_source), on=list(LOAN_MONTH), how="left")
    return found.withColumn("eligible", F.coalesce("eligible", F.lit(False)))


def _write(request: SnapshotRequest, book: DataFrame, outcomes: DataFrame, folder: Path) -> None:
    settings = request.settings
    statuses, months, eligible = count_statuses(outcomes)
    labelled = outcomes.where("eligible")
    folds = folds_for(request.head, months, settings)
    planned = origin_of(folds, request.origin)
    borrowers = count_borrowers(labelled.where(in_development(planned)))
    fold = with_enough_defaults(planned, *borrowers, settings)
    trains = F.col("role").isin(*{role for member in fold.members for role in (*member.train, member.tune)})
    placed = labelled.withColumn("role", role_column(fold, settings.seed))
    placed = placed.where(F.col("role").isNotNull() & (trains | F.col("label").isNotNull()))
    roles = request.head.as_known(placed, known_until(fold, months, request.head.horizon_months))
    counts = count_roles(roles, fold)
    fitted = fold.samples["train"]
    measured, contradicting = _measured(request, roles, fitted)
    used, training = thinned_rows(roles, fitted, counts, request)
    spec = _fit(request, book, roles, fitted, sum(counts[role]["rows"] for role in fitted))
    kept = training["rows_by_role"]
    size = choose_size(
        [[kept[role] for role in member.train] for member in fold.members],
        settings.row_groups,
        workers_of_member(settings, len(fold.members), request.workers),
    )
    _write_rows(
        book, used, spec, {**dict.fromkeys(fold.roles, MAX_ROWS), **dict.fromkeys(fitted, size)}, folder
    )
    for role in fitted:
        verify_groups(folder / f"role={role}", kept[role], size)
    write_json(folder / "spec.json", spec.model_dump(mode="json"))
    folds[request.origin] = fold
    write_json(folder / "splits.json", _splits(request, folds))
    gap = eligible - sum(item["labelled"] for item in counts.values())
    manifest = {
        **request.describe(), "spec": spec.content_hash(),
        "samples": {
            name: together([counts[role] for role in roles_of], settings.min_defaults)
            for name, roles_of in fold.samples.items()
        },
        "train": {**training, "rows_of_group": size, "contradicting": contradicting}, "measured": measured,
        "known_until": known_months(fold, months, request.head.horizon_months),
        "label_status": statuses, "rows_between_development_and_test": gap,
        "test_window": leavers_of(outcomes, book, fold, counts[TEST]),
    }  # fmt: skip
    write_json(folder / "manifest.json", manifest)


def _fit(
    request: SnapshotRequest, book: DataFrame, roles: DataFrame, fitted: Sequence[str], rows: int
) -> InputSpec:
    """Fit the spec on the rows that members are fitted on; on the whole book where there are none."""
    kinds = {
        kind: [item for item in request.candidates if item.kind == kind]
        for kind in ("numeric", "categorical", "text", "sequence")
    }
    train = roles.where(F.col("role").isin(*fitted)).select(*LOAN_MONTH)
    of_rows = book.join(train, on=list(LOAN_MONTH), how="left_semi") if rows else book
    return fit_spec(of_rows, **kinds, settings=request.settings, rows=rows or book.count())


def _measured(
    request: SnapshotRequest, roles: DataFrame, fitted: Sequence[str]
) -> tuple[dict[str, Any], int]:
    """Return what the head measures of the rows that fit, and how many others contradict it."""
    fits = F.col("role").isin(*fitted)
    period, least = request.kind.get("period_months", 1), request.settings.min_defaults
    measured = request.head.measured(roles.where(fits), period, least)
    contradicting = request.head.completed(measured).contradicting(roles.where(~fits))
    if contradicting:
        logger.warning(
            "%d rows say what the training rows had the head %s take for impossible: they cost it nothing",
            contradicting, request.head.name,
        )  # fmt: skip
    return measured, contradicting


def _write_rows(
    book: DataFrame, used: DataFrame, spec: InputSpec, sizes: Mapping[str, int], folder: Path
) -> None:
    """Write the used rows as the model takes them, a file for each role and group, in random order.

    Args:
        book: the features.
        used: key, borrower, role, label, targets, weight and ``shuffle`` of the rows to write.
        spec: of the inputs.
        sizes: rows of a group, by role.
        folder: gets ``role=<role>/row_group=<n>/``.
    """
    order = ["shuffle", *LOAN_MONTH]
    with in_row_groups(used, "role", order, sizes) as placed:
        own = [name for name in used.columns if name not in (*KEPT, "role", "shuffle")]
        kept = ["role", "row_group", "shuffle", *KEPT, *own]
        rows = model_inputs(book.join(placed, on=list(LOAN_MONTH)), spec, keep=kept)
        files = rows.repartition("role", "row_group").sortWithinPartitions("role", "row_group", *order)
        files.drop("shuffle").write.mode("append").partitionBy("role", "row_group").parquet(str(folder))


def _splits(request: SnapshotRequest, folds: Sequence[Fold]) -> dict[str, Any]:
    return {
        "label": request.head.label,
        "horizon_months": request.head.horizon_months,
        "event": request.head.event,
        "seed": request.settings.seed,
        "trained_fold": folds[request.origin].name,
        "folds": [fold.model_dump(mode="json") for fold in folds],
    }
