"""Features and labels at pinned versions to a training snapshot."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.models.head import Head
from loanbook.models.inputs.fitting import fit_spec
from loanbook.models.inputs.model_inputs import model_inputs, require_columns
from loanbook.models.inputs.spec import Candidate, InputSpec, column_of
from loanbook.settings.train import TrainSettings, settings_of_rows
from loanbook.tables.columns import LOAN_MONTH
from loanbook.training.snapshot.read import KEPT, Snapshot
from loanbook.training.snapshot.row_groups import MAX_ROWS, choose_groups, in_row_groups, verify_groups
from loanbook.training.snapshot.sampling import check_thinning, kept_and_weight
from loanbook.training.snapshot.splits import (
    HELD_OUT,
    ROLES,
    Fold,
    folds_for,
    in_development,
    role_column,
    with_enough_to_calibrate,
)
from loanbook.warehouse.storage import Storage, is_complete, published_folder, write_json


@dataclass(frozen=True)
class Request:
    """What a snapshot is made of; the same request gives the same snapshot.

    Args:
        source: of the rows.
        tables: name to version of the tables read.
        kind: of the data: catalogue, default definition and knowledge of the features, period and sampling.
    """

    source: str
    head: Head
    candidates: Sequence[Candidate]
    tables: dict[str, int]
    kind: dict[str, Any]
    settings: TrainSettings
    workers: int

    @property
    def snapshot_id(self) -> str:
        """Return the folder's name: head and 12 hex digits over the request."""
        content = {
            **self.describe(),
            "head": asdict(self.head),
            "candidates": [item.model_dump() for item in self.candidates],
            "settings": self.settings.model_dump(mode="json", include=settings_of_rows()),
            "least_groups": max(self.settings.row_groups, 4 * self.workers),
            "workers": self.workers if self.settings.row_groups % self.workers else 1,
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.head.name}-{digest[:12]}"

    def describe(self) -> dict[str, Any]:
        """Return source, label and lineage, for manifests."""
        return {
            "source": self.source, "label": self.head.label, "targets": list(self.head.target_columns),
            "tables": self.tables, **self.kind,
        }  # fmt: skip


def ensure_snapshot(
    storage: Storage, request: Request, features: DataFrame, tables: Mapping[str, DataFrame]
) -> Snapshot:
    """Return the request's snapshot, writing it if it is not there yet.

    Args:
        storage: knows where snapshots live.
        request: what it is made of.
        features: at the request's version.
        tables: those that the head's targets are made from, by name, at the request's versions.

    Raises:
        InputError: the features lack a candidate's column, or no input varies.
    """
    target = storage.snapshot_folder(request.snapshot_id)
    if not is_complete(target):
        book = _book(request, features)
        outcomes = _outcomes(request, book, tables).persist()
        try:
            with published_folder(target) as folder:
                _write(request, book, outcomes, folder)
        finally:
            outcomes.unpersist()
    return Snapshot(target)


def _book(request: Request, features: DataFrame) -> DataFrame:
    read = [*KEPT, *(column_of(item.expression) for item in request.candidates)]
    require_columns(features, read)
    return features.where(F.col("source") == request.source).select(*dict.fromkeys(read))


def _outcomes(request: Request, book: DataFrame, tables: Mapping[str, DataFrame]) -> DataFrame:
    """Return key, label, label status and targets of every row of the book: few columns, for many steps."""
    of_source = {name: table.where(F.col("source") == request.source) for name, table in tables.items()}
    found = book.select(*LOAN_MONTH).join(request.head.targets(of_source), on=list(LOAN_MONTH), how="left")
    return found.withColumn("eligible", F.coalesce("eligible", F.lit(False)))


def _write(request: Request, book: DataFrame, outcomes: DataFrame, folder: Path) -> None:
    settings = request.settings
    statuses, months, eligible = _count_statuses(outcomes)
    labelled = outcomes.where("eligible")
    folds = folds_for(request.head, months, settings)
    fold = with_enough_to_calibrate(
        folds[0], _defaulting_loans(labelled.where(in_development(folds[0]))), settings
    )
    roles = labelled.withColumn("role", role_column(fold, settings.seed)).where(F.col("role").isNotNull())
    counts = _count_roles(roles, settings)
    used, training = _with_weights(roles, counts["train"], request)
    spec = _fit(request, book, roles, counts["train"]["rows"])
    groups = choose_groups(training["rows"], settings.row_groups, request.workers)
    size = training["rows"] // groups if groups else MAX_ROWS
    _write_rows(book, used, spec, (groups, size), folder)
    write_json(folder / "spec.json", spec.model_dump(mode="json"))
    write_json(folder / "splits.json", _splits(request, [fold, *folds[1:]]))
    gap = eligible - sum(item["rows"] for item in counts.values())
    manifest = {
        **request.describe(), "spec": spec.content_hash(), "roles": counts,
        "train": {**training, "row_groups": groups, "rows_left_over": training["rows"] - groups * size},
        "label_status": statuses, "rows_between_development_and_test": gap,
    }  # fmt: skip
    write_json(folder / "manifest.json", manifest)


def _count_statuses(outcomes: DataFrame) -> tuple[dict[str, int], list[date], int]:
    """Return rows by label status, the months that have eligible rows, and the number of these."""
    found = outcomes.groupBy("label_status", "as_of_date", "eligible").count().collect()
    statuses: Counter[str] = Counter()
    for row in found:
        statuses[str(row["label_status"])] += int(row["count"])
    eligible = [row for row in found if row["eligible"]]
    months = sorted({row["as_of_date"] for row in eligible})
    return dict(sorted(statuses.items())), months, sum(int(row["count"]) for row in eligible)


def _defaulting_loans(rows: DataFrame) -> int:
    return rows.where(F.col("label") == 1).select("loan_id").distinct().count()


def _fit(request: Request, book: DataFrame, roles: DataFrame, rows: int) -> InputSpec:
    """Fit the spec on the training rows; on the whole book where there are none."""
    kinds = {
        kind: [item for item in request.candidates if item.kind == kind]
        for kind in ("numeric", "categorical", "text", "sequence")
    }
    train = roles.where(F.col("role") == "train").select(*LOAN_MONTH)
    fitted = book.join(train, on=list(LOAN_MONTH), how="left_semi") if rows else book
    return fit_spec(fitted, **kinds, settings=request.settings, rows=rows or book.count())


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


def _with_weights(
    roles: DataFrame, train: Mapping[str, Any], request: Request
) -> tuple[DataFrame, dict[str, Any]]:
    """Return the rows with their weight, some training rows thinned, and the numbers of the thinning."""
    share, seed = request.settings.negatives_kept, request.settings.seed
    kept, weight = kept_and_weight(request.head, share, seed + 1)
    trains = F.col("role") == "train"
    used = roles.where(~trains | kept).select(
        *LOAN_MONTH,
        "role",
        *[F.col(name).cast("float").alias(name) for name in _judged_by(request.head)],
        F.when(trains, weight).otherwise(F.lit(1.0)).cast("float").alias("weight"),
        F.xxhash64(F.lit(seed + 2), *LOAN_MONTH).alias("shuffle"),
    )
    thinned = used.where(trains)
    means = check_thinning((train["rows"], train["defaults"]), thinned, share)
    rows = thinned.count() if share < 1 else train["rows"]
    return used, {"rows": rows, "thinned": train["rows"] - rows, **means}


def _judged_by(target: Head) -> list[str]:
    """Return the label and the columns that the loss takes."""
    return list(dict.fromkeys(["label", *target.target_columns]))


def _write_rows(
    book: DataFrame, used: DataFrame, spec: InputSpec, training: tuple[int, int], folder: Path
) -> None:
    """Write the used rows as the model takes them, a file for each role and group, in random order.

    Args:
        book: the features.
        used: key, role, label, targets, weight and ``shuffle`` of the rows to write.
        spec: of the inputs.
        training: number of groups of training rows, and rows of each; those beyond are left over.
        folder: gets ``role=<role>/row_group=<n>/``.

    Raises:
        LoanbookError: the files of the training rows are not equal groups.
    """
    (groups, size), order = training, ["shuffle", *LOAN_MONTH]
    sizes = {**dict.fromkeys(HELD_OUT, MAX_ROWS), "train": size}
    with in_row_groups(used, "role", order, sizes) as placed:
        whole = placed.where((F.col("role") != "train") | (F.col("row_group") < groups))
        own = [name for name in used.columns if name not in (*KEPT, "role", "shuffle")]
        kept = ["role", "row_group", "shuffle", *KEPT, *own]
        rows = model_inputs(book.join(whole, on=list(LOAN_MONTH)), spec, keep=kept)
        files = rows.repartition("role", "row_group").sortWithinPartitions("role", "row_group", *order)
        files.drop("shuffle").write.mode("append").partitionBy("role", "row_group").parquet(str(folder))
    verify_groups(folder / "role=train", groups, size)


def _splits(request: Request, folds: Sequence[Fold]) -> dict[str, Any]:
    return {
        "label": request.head.label,
        "horizon_months": request.head.horizon_months,
        "event": request.head.event,
        "seed": request.settings.seed,
        "trained_fold": folds[0].name,
        "folds": [fold.model_dump(mode="json") for fold in folds],
    }
