"""The parts of a sample that are judged by themselves: by state, year, vintage and age."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from loanbook.book.state_moves import UNKNOWN
from loanbook.evaluation.sample import Sample

# kind -> its plural in sentences, what a row's value is, heading of a table
KINDS = {
    "origin": ("origins", "Trained as of that origin, tested on the months after.", "origin"),
    "state": ("states", "State in the month of the prediction.", "state"),
    "year": ("years", "Year of the prediction.", "year"),
    "vintage": ("vintages", "Year of origination.", "vintage"),
    "age": ("age bands", "Months on book in the month of the prediction.", "months on book"),
}
MAY_LACK = ("origin", "vintage", "age")  # of a single origin; a tape, or a snapshot, may not tell the others


def kinds_of(part: Sample) -> dict[str, npt.NDArray[np.str_]]:
    """Return, by kind of segment, each row's value; without the kinds that are known of no row."""
    values = {kind: getattr(part, kind) for kind in KINDS}
    return {kind: values[kind] for kind in KINDS if kind not in MAY_LACK or np.any(values[kind] != UNKNOWN)}


def segments_of(part: Sample) -> Iterator[tuple[str, Sample]]:
    """Yield the name of each segment, such as ``state=current``, and its rows; ``unknown`` is a value too."""
    for kind, values in kinds_of(part).items():
        for value in np.unique(values):
            yield f"{kind}={value}", part.part(values == value)
