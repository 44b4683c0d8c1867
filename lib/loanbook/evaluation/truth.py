"""A simulated book's true probabilities beside the model's, on the same rows."""

import dataclasses
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from loanbook.errors import InputError
from loanbook.evaluation.sample import Sample

TRUTH = "truth"
FILES = "part-*.parquet"  # beside them are marginal curves, in files of another name
KEY = ("loan_id", "as_of_date")
PD = "pd_12m_expected"


@dataclass(frozen=True)
class Compared:
    """The rows of a sample that have a truth, with it as a further predictor, and their share of all rows."""

    part: Sample
    coverage: float


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
    columns = (*KEY, column)
    files = sorted(str(path) for path in folder.glob(FILES))
    missing = [name for name in columns if not files or name not in pq.read_schema(files[0]).names]
    if missing:
        raise InputError(
            required=f"--truth with a folder of files {FILES} with {', '.join(columns)}",
            found=f"{folder}: " + (f"no column {', '.join(missing)}" if files else "no such file"),
            do="name the folder truth/ that simulate-tapes wrote beside the tapes",
        )
    wanted = ds.field("as_of_date").isin(months) & ds.field(column).is_valid()
    table = ds.dataset(files, format="parquet").to_table(columns=list(columns), filter=wanted)
    frame: pd.DataFrame = table.to_pandas()
    return frame.astype({"loan_id": str})
