"""A simulated book's true probabilities beside the model's, on the same rows."""

import dataclasses
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from loanbook.errors import InputError
from loanbook.evaluation.sample import Sample
from loanbook.models.head import Head
from loanbook.simulate.identity import MANIFEST

log = logging.getLogger(__name__)

TRUTH = "truth"
FILES = "part-*.parquet"  # beside them are marginal curves, in files of another name
KEY = ("loan_id", "as_of_date")
PD = "pd_12m_expected"


@dataclass(frozen=True)
class Compared:
    """The rows of a sample that have a truth, with it as a further predictor, and their share of all rows."""

    part: Sample
    coverage: float


def truth_folder(
    truth: str | None,
    target: Head,
    delivered: Callable[[], Iterable[tuple[str, str]]],
    columns: Sequence[str] = (PD,),
) -> Path | None:
    """Return the folder of the truth to compare with; refuse one that cannot be before anything is computed.

    Args:
        truth: the folder, or None.
        target: what the model predicts.
        delivered: gives name and SHA-256 of the files that were ingested of the source.
        columns: of the truth that will be compared with.

    Raises:
        InputError: there is no such folder, it lacks a column, the model is not of what the truth is of, or
            the truth is of another book.
    """
    if truth is None:
        return None
    if "pd_12m" not in target.fills:
        raise InputError(
            required="--truth with a model of default within 12 months, which is what the truth is of",
            found=f"a model of {target.event}",
            do="leave --truth out",
        )
    folder = Path(truth)
    if not folder.is_dir():
        raise InputError(
            required="--truth with the folder truth/ that simulate-tapes wrote",
            found=f"no folder {truth}",
            do="correct the path, or leave --truth out",
        )
    _files(folder, columns)
    require_same_book(folder, delivered())
    return folder


def require_same_book(folder: Path, delivered: Iterable[tuple[str, str]]) -> None:
    """Refuse the truth of another simulated book, whose loans have the same ids.

    Where the truth does not say of which book it is, or none of its tapes was ingested under its own name, it
    is taken, with a warning.

    Args:
        folder: of the truth.
        delivered: name and SHA-256 of each file that was ingested.

    Raises:
        InputError: of the truth's tapes that were ingested by name, none is the same.
    """
    path = folder / MANIFEST
    tapes = json.loads(path.read_text("utf-8"))["tapes"] if path.exists() else {}
    ingested: dict[str, set[str]] = {}
    for name, digest in delivered:
        ingested.setdefault(name.rpartition("/")[2], set()).add(digest)
    shared = sorted(tapes.keys() & ingested.keys())
    if not shared:
        why = f"{path} is not there" if not path.exists() else "none of its tapes was ingested by its name"
        log.warning("whether the truth is of this book cannot be told: %s", why)
    elif not any(tapes[name] in ingested[name] for name in shared):
        raise InputError(
            required="--truth of the book whose tapes were ingested",
            found=f"{folder}: the truth of another simulated book ({shared[0]} is not the file ingested)",
            do="name the truth/ that was written beside the ingested tapes",
        )


def compared_with(test: Sample, folder: Path | None) -> Compared | None:
    """Return the test rows that have a truth, and say where not all have; None without a folder."""
    if folder is None:
        return None
    compared = with_truth(test, folder)
    if compared.coverage < 1 and len(test.label):
        log.warning(
            "%d of %d test rows have a truth: only these are compared",
            len(compared.part.label),
            len(test.label),
        )
    return compared


def with_truth(part: Sample, folder: Path) -> Compared:
    """Return the rows of ``part`` whose expected PD is in ``folder``.

    The expected PD is the mean over macro paths, which is what a model can know, not that of the path that
    came about.

    Raises:
        InputError: the folder holds no truth.
    """
    months = sorted(set(part.frame["as_of_date"]))
    expected = part.frame[["loan_id", "as_of_date"]].merge(
        read_truth(folder, months, PD), on=list(KEY), how="left", validate="many_to_one"
    )[PD]
    known = expected.notna().to_numpy(bool)
    covered = part.part(known)
    truth = expected.to_numpy(np.float64)[known]
    both = dataclasses.replace(covered, calibrated={**covered.calibrated, TRUTH: truth})
    return Compared(both, float(np.mean(known)) if len(known) else 0.0)


def read_truth(folder: Path, months: list[date], column: str) -> pd.DataFrame:
    """Return the loans of some months that have a truth, with it.

    Raises:
        InputError: the folder holds none.
    """
    files = _files(folder, [column])
    wanted = ds.field("as_of_date").isin(months) & ds.field(column).is_valid()
    table = ds.dataset(files, format="parquet").to_table(columns=[*KEY, column], filter=wanted)
    frame: pd.DataFrame = table.to_pandas()
    return frame.astype({"loan_id": str})


def _files(folder: Path, columns: Sequence[str]) -> list[str]:
    """Return the files of a folder of truth, of which there are some, with the key and these columns."""
    files = sorted(str(path) for path in folder.glob(FILES))
    found = set(pq.read_schema(files[0]).names) if files else set[str]()
    missing = [name for name in (*KEY, *columns) if name not in found]
    if missing:
        raise InputError(
            required=f"--truth with a folder of files {FILES} with {', '.join((*KEY, *columns))}",
            found=f"{folder}: " + (f"no column {', '.join(missing)}" if files else "no such file"),
            do="name the folder truth/ that simulate-tapes wrote beside the tapes; an earlier version's may "
            "lack columns: simulate the book again",
        )
    return files
