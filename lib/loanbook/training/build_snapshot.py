"""Features and labels at pinned versions to a training snapshot."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.models.fitting import fit_spec
from loanbook.models.heads import Head
from loanbook.models.inputs import model_inputs, require_columns
from loanbook.models.spec import Candidate, InputSpec, column_of
from loanbook.storage import Storage, is_complete, published_folder, write_json
from loanbook.training.row_groups import choose_groups, write_row_groups
from loanbook.training.sampling import check_thinning, kept_and_weight
from loanbook.training.settings import TrainSettings
from loanbook.training.snapshot import KEPT, KEYS, TARGETS, Snapshot
from loanbook.training.splits import HELD_OUT, ROLES, Fold, in_development, plan_folds, role_column
from loanbook.training.splits import with_enough_to_calibrate as enough_to_calibrate

# What of the settings changes the rows of a snapshot.
SNAPSHOT_SETTINGS = {
    "seed", "test_months", "folds", "shares", "min_defaults", "negatives_kept", "spec_rows", "clip_quantile",
    "vocabulary_min_rows", "max_vocabulary", "row_groups",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What a snapshot is made of; the same request gives the same snapshot.

    Args:
        source: of the rows.
        tables: name to version of the tables read.
        ids: ``catalogue_id`` and ``default_definition_id`` of the features.
    """

    source: str
    head: Head
    candidates: Sequence[Candidate]
    tables: dict[str, int]
    ids: dict[str, str]
    settings: TrainSettings
    workers: int

    @property
    def snapshot_id(self) -> str:
        """Return the folder's name: head and 12 hex digits over the request."""
        content = {
            **self.describe(),
            "candidates": [item.model_dump() for item in self.candidates],
            "settings": self.settings.model_dump(mode="json", include=SNAPSHOT_SETTINGS),
            "least_groups": max(self.settings.row_groups, 4 * self.workers),
            "workers": self.workers if self.settings.row_groups % self.workers else 1,
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.head.name}-{digest[:12]}"

    def describe(self) -> dict[str, Any]:
        """Return source, label and lineage, for manifests."""
        return {"source": self.source, "label": self.head.label, "tables": self.tables, **self.ids}


def ensure_snapshot(storage: Storage, request: Request, features: DataFrame, labels: DataFrame) -> Snapshot:
    """Return the request's snapshot, writing it if it is not there yet.

    Raises:
        InputError: the features lack a candidate's column, or no input varies.
    """
    target = storage.snapshot_folder(request.snapshot_id)
    if not is_complete(target):
        rows = _rows(request, features, labels).persist()
        try:
            with published_folder(target) as folder:
                _write(request, rows, folder)
        finally:
            rows.unpersist()
    return Snapshot(target)


def _rows(request: Request, features: DataFrame, labels: DataFrame) -> DataFrame:
    read = [*KEPT, *(column_of(item.expression) for item in request.candidates)]
    require_columns(features, read)
    outcome = labels.where(F.col("source") == request.source).select(
        *KEYS, "label_status", F.col(request.head.label).alias("label")
    )
    book = features.where(F.col("source") == request.source).select(*dict.fromkeys(read))
    return book.join(outcome, on=list(KEYS), how="left")


def _write(request: Request, rows: DataFrame, folder: Path) -> None:
    settings = request.settings
    labelled = rows.where((F.col("label_status") == "observed") & F.col("label").isNotNull())
    folds = plan_folds(_months(labelled), request.head.horizon_months, settings)
    fold = enough_to_calibrate(
        folds[0], _defaulting_loans(labelled.where(in_development(folds[0]))), settings
    )
    roles = labelled.withColumn("role", role_column(fold, settings.seed))
    train = roles.where(F.col("role") == "train")
    spec = _fit(request, train if train.head(1) else rows)
    counts = _count_roles(roles, settings)
    prepared = model_inputs(roles.where(F.col("role").isNotNull()), spec, keep=[*KEPT, "label", "role"])
    training = _write_train(request, prepared.where(F.col("role") == "train"), counts["train"], folder)
    _write_held_out(prepared.where(F.col("role").isin(*HELD_OUT)), spec, folder)
    write_json(folder / "spec.json", spec.model_dump(mode="json"))
    write_json(folder / "splits.json", _splits(request, [fold, *folds[1:]]))
    statuses = {str(row[0]): int(row[1]) for row in rows.groupBy("label_status").count().collect()}
    gap = statuses.get("observed", 0) - sum(item["rows"] for item in counts.values())
    manifest = {
        **request.describe(), "spec": spec.content_hash(), "roles": counts, "train": training,
        "label_status": statuses, "rows_between_development_and_test": gap,
    }  # fmt: skip
    write_json(folder / "manifest.json", manifest)


def _months(labelled: DataFrame) -> list[date]:
    return [row["as_of_date"] for row in labelled.select("as_of_date").distinct().collect()]


def _defaulting_loans(rows: DataFrame) -> int:
    return rows.where(F.col("label") == 1).select("loan_id").distinct().count()


def _fit(request: Request, rows: DataFrame) -> InputSpec:
    kinds = {
        kind: [item for item in request.candidates if item.kind == kind]
        for kind in ("numeric", "categorical")
    }
    return fit_spec(rows, kinds["numeric"], kinds["categorical"], request.settings)


def _count_roles(roles: DataFrame, settings: TrainSettings) -> dict[str, dict[str, Any]]:
    defaulting = F.when(F.col("label") == 1, F.col("loan_id"))
    found = roles.groupBy("role").agg(
        F.count(F.lit(1)).alias("rows"),
        F.countDistinct("loan_id").alias("loans"),
        F.sum(F.col("label").cast("long")).alias("defaults"),
        F.countDistinct(defaulting).alias("defaulting_loans"),
        F.min("as_of_date").cast("string").alias("first_month"),
        F.max("as_of_date").cast("string").alias("last_month"),
    )
    by_role = {row["role"]: row.asDict() for row in found.collect()}
    empty = dict.fromkeys(("rows", "loans", "defaults", "defaulting_loans"), 0)
    counts = {
        role: {**empty, "first_month": None, "last_month": None, **by_role.get(role, {})} for role in ROLES
    }
    for role, item in counts.items():
        item["role"] = role
        item["default_rate"] = item["defaults"] / item["rows"] if item["rows"] else None
        item["status"] = "ok" if item["defaulting_loans"] >= settings.min_defaults else "insufficient"
    return counts


def _write_train(request: Request, train: DataFrame, counts: dict[str, Any], folder: Path) -> dict[str, Any]:
    settings = request.settings
    kept, weight = kept_and_weight("label", settings.negatives_kept, settings.seed + 1, KEYS)
    thinned = train.where(kept).withColumn("weight", weight).withColumn("label", F.col("label").cast("float"))
    means = check_thinning((counts["rows"], counts["defaults"]), thinned, "label", settings.negatives_kept)
    rows = thinned.count() if settings.negatives_kept < 1 else counts["rows"]
    groups = choose_groups(rows, settings.row_groups, request.workers)
    order = [F.xxhash64(F.lit(settings.seed + 2), *KEYS).alias("shuffle"), *(F.col(key) for key in KEYS)]
    columns = [name for name in thinned.columns if name.startswith(("x_", "c_"))]
    keyed = thinned.select(*KEYS, order[0], *TARGETS, *columns)
    by = [F.col("shuffle"), *order[1:]]
    left = write_row_groups(keyed, by, [*TARGETS, *columns], rows, groups, folder / "role=train")
    return {
        "rows": rows,
        "thinned": counts["rows"] - rows,
        "row_groups": groups,
        "rows_left_over": left,
        **means,
    }


def _write_held_out(rows: DataFrame, spec: InputSpec, folder: Path) -> None:
    ready = rows.select(
        "role", *KEPT, F.col("label").cast("float").alias("label"), F.lit(1.0).cast("float").alias("weight"),
        *spec.numeric_columns, *spec.code_columns,
    )  # fmt: skip
    order = ["role", *KEYS]
    ready.repartitionByRange(*order).sortWithinPartitions(*order).write.mode("append").partitionBy(
        "role"
    ).parquet(str(folder))


def _splits(request: Request, folds: Sequence[Fold]) -> dict[str, Any]:
    return {
        "label": request.head.label,
        "horizon_months": request.head.horizon_months,
        "seed": request.settings.seed,
        "trained_fold": folds[0].name,
        "folds": [fold.model_dump(mode="json") for fold in folds],
    }
