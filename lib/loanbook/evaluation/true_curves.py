"""Curves of default and prepayment against a simulated book's own, on the loans that it has them of."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.dataset as ds

from loanbook.evaluation.assess import Evaluation, rows_of
from loanbook.evaluation.curves import HORIZONS, Drawn, Followed, mean_of
from loanbook.evaluation.distance import kl_divergence
from loanbook.evaluation.measures import Measured
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.truth import PD, read_truth
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.clustered import Floats
from loanbook.models.head import Head
from loanbook.models.incidence import Curves
from loanbook.training.snapshot.predicted import TERM

FILES = "curve-*.parquet"
PREPAYMENT = "prepayment_12m_expected"
WAYS = ("default", "prepayment", "removed", "matured")
KEY = ["loan_id", "as_of_date"]


def compared_columns(target: Head) -> tuple[str, ...]:
    """Return the columns of a truth's files that a model of the head is compared with."""
    has_curves = target.curves(np.zeros((0, target.outputs))) is not None
    return (PD, PREPAYMENT) if has_curves else (PD,)


@dataclass(frozen=True)
class TrueCurves:
    """Rows of a sample that have true curves.

    Args:
        of: the rows with the model's curves.
        truth: the expected ones, over macro paths; given that a loan is not removed, as labels are.
        term: last month of each row's true curve: that of its contract, or of the file's longest, (rows,).
        longest: of the file.
    """

    of: Followed
    truth: Curves
    term: npt.NDArray[np.int64]
    longest: int

    def where(self, rows: npt.NDArray[np.bool_]) -> "TrueCurves":
        """Return some of the rows."""
        return TrueCurves(self.of.where(rows), self.truth.where(rows), self.term[rows], self.longest)


def true_curves(of: Followed, folder: Path) -> TrueCurves | None:
    """Return the rows whose curves are in a folder of truth; None where none is."""
    files = sorted(str(path) for path in folder.glob(FILES))
    if not files:
        return None
    keys = of.part.frame[KEY].assign(row=np.arange(len(of.part.frame)))
    columns = [*KEY, "month", *(f"{way}_expected" for way in WAYS)]
    wanted = ds.field("as_of_date").isin(sorted(set(keys["as_of_date"])))
    lines = ds.dataset(files, format="parquet").to_table(columns=columns, filter=wanted).to_pandas()
    found = lines.astype({"loan_id": str}).merge(keys, on=KEY, validate="many_to_one")
    if not len(found):
        return None
    rows, place = np.unique(found["row"], return_inverse=True)
    longest = int(found["month"].max())
    marginal = np.zeros((len(WAYS), len(rows), max(longest, int(of.curves.months[-1]))))
    for number, way in enumerate(WAYS):
        marginal[number, place, found["month"].to_numpy() - 1] = found[f"{way}_expected"].to_numpy()
    term = found.groupby("row")["month"].max().to_numpy(np.int64)
    picked = np.isin(np.arange(len(of.part.frame)), rows)
    return TrueCurves(of.where(picked), _not_removed(marginal, of.curves.months), term, longest)


def _not_removed(marginal: npt.NDArray[np.float64], months: npt.NDArray[np.int64]) -> Curves:
    """Return D / (1 - R) and (P + M) / (1 - R) by month: to the model, maturity is prepayment."""
    default, prepayment, removed, matured = np.cumsum(marginal, axis=2)[:, :, months - 1]
    return Curves(months, default / (1 - removed), (prepayment + matured) / (1 - removed))


def true_curve_rows(found: TrueCurves, fold: str) -> Iterator[Evaluation]:
    """Return how far the model's curves are from the true ones, as rows of ``evaluations``.

    At a horizon those loans are compared whose contract lasts as long; over the whole life those whose
    contract ends within the model's curve.
    """
    last = int(found.of.curves.months[-1])
    for horizon in (month for month in HORIZONS if month <= last):
        rows = found.where(found.term >= horizon)
        both = zip(("default", "prepayment"), rows.of.curves.at(horizon), rows.truth.at(horizon), strict=True)
        for name, expected, truth in both:
            yield from _rows(rows.of.part, fold, f"curve_{name}_{horizon}m", expected, truth)
    whole = found.where((found.term <= last) & (found.term < found.longest))
    ends = (np.arange(len(whole.term)), np.searchsorted(whole.of.curves.months, whole.term))
    of_life = (whole.of.curves.default[ends], whole.truth.default[ends])
    yield from _rows(whole.of.part, fold, "pd_lifetime", *of_life)


def prepayment_rows(of: Followed, folder: Path, fold: str) -> Iterator[Evaluation]:
    """Return how far prepayment within 12 months is from the truth's, which counts no maturity.

    To the model maturity is prepayment: only loans whose contract lasts longer are compared.
    """
    months = sorted(set(of.part.frame["as_of_date"]))
    truth = read_truth(folder, months, PREPAYMENT)
    keys = of.part.frame[KEY]
    expected = keys.merge(truth, on=KEY, how="left", validate="many_to_one")[PREPAYMENT].to_numpy(np.float64)
    known = ~np.isnan(expected) & (of.part.frame[TERM].to_numpy(np.float64) > 12)
    rows, said = of.where(known), "rows that have it, with a term of over 12 months"
    yield from _rows(rows.part, fold, "prepayment_12m", rows.curves.at(12)[1], expected[known], said)


def _rows(
    part: Sample, fold: str, name: str, expected: Floats, truth: Floats, said: str = "rows that have it"
) -> Iterator[Evaluation]:
    """Return the divergence from true incidences, and the mean to that of the truth; nothing of no row."""
    if not len(expected):
        return
    mean, true = (float(np.average(of, weights=part.weight)) for of in (expected, truth))
    measured: Measured = {
        f"kl_to_truth_{name}": (
            kl_divergence(truth, expected, part.weight), f"weighted mean of KL(truth || model), {said}"
        ),
        f"mean_to_truth_{name}": (
            mean / true if true else None, f"weighted mean of the model / that of the truth, {said}"
        ),
    }  # fmt: skip
    yield from rows_of(part, MODEL, fold, "all", measured)


def drawn_with_truth(found: TrueCurves) -> Drawn:
    """Return the mean curves of the rows that have true ones."""
    weight = found.of.part.weight
    return Drawn(
        f"{len(found.term):,} rows of the sample {found.of.part.role} with true curves", "truth",
        found.of.curves.months, mean_of(found.of.curves, weight), mean_of(found.truth, weight),
    )  # fmt: skip
