"""The rows that all of the compared predict: of one origin or of several, each by what was trained then."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loanbook.comparison.entrants import Entrant
from loanbook.errors import InputError
from loanbook.evaluation.measures import INSUFFICIENT
from loanbook.evaluation.origins import ALL_ORIGINS
from loanbook.evaluation.sample import Sample, concatenated, predicted_sample
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.tables.columns import LOAN_MONTH
from loanbook.training.snapshot.fold import TEST, Fold
from loanbook.training.snapshot.read import Snapshot


@dataclass(frozen=True)
class Origin:
    """The compared as they were trained as of one origin.

    Args:
        entrants: in the order of the comparison.
        snapshots: of their artefacts, by id; they differ in inputs only.
    """

    entrants: Sequence[Entrant]
    snapshots: Mapping[str, Snapshot]

    @property
    def artefacts(self) -> list[Artefact]:
        """Return the artefacts, each once."""
        return list({id(one.artefact): one.artefact for one in self.entrants}.values())

    @property
    def baselines(self) -> list[str]:
        """Return the names of the baselines, the one that differences are from first."""
        return [one.name for one in self.entrants if one.predictor != MODEL]

    @property
    def is_trained(self) -> bool:
        """Return whether its months held defaults enough to train all on."""
        return all(one.status != INSUFFICIENT for one in self.artefacts)

    @property
    def fold(self) -> Fold:
        """Return the fold that all were trained on."""
        return self.snapshots[self.entrants[0].artefact.snapshot_id].fold

    def sample(self, name: str, limit: int | None = None) -> Sample:
        """Return a sample with the PDs of every entrant by its name.

        Args:
            name: of the sample.
            limit: most rows, drawn at random; None: all.

        Raises:
            InputError: two were judged on other rows, or of other events.
        """
        found: Sample | None = None
        for artefact in self.artefacts:
            own = {one.predictor: one.name for one in self.entrants if one.artefact is artefact}
            snapshot = self.snapshots[artefact.snapshot_id]
            part = _renamed(predicted_sample(artefact, snapshot, name, limit, only=list(own)), own)
            found = part if found is None else _joined(found, part)
        if found is None:
            raise ValueError("an origin has one entrant at least")
        in_order = [entrant.name for entrant in self.entrants]
        return dataclasses.replace(
            found,
            raw={name: found.raw[name] for name in in_order},
            calibrated={name: found.calibrated[name] for name in in_order},
        )


def judged_samples(origins: Sequence[Origin], limit: int) -> list[tuple[Sample, str]]:
    """Return the test rows of all origins, then those of development of the most recent, with their folds.

    Args:
        origins: the most recent first.
        limit: most rows of development.

    Raises:
        InputError: two entrants were judged on other rows, or of other events.
    """
    newest = origins[0]
    development = newest.sample(newest.fold.checked_on, limit), newest.fold.name
    if len(origins) == 1:
        return [(newest.sample(TEST), newest.fold.name), development]
    tests = [_of_origin(one.sample(TEST), one.fold.name) for one in origins]
    return [(concatenated(tests), ALL_ORIGINS), development]


def _of_origin(part: Sample, name: str) -> Sample:
    return dataclasses.replace(part, frame=part.frame.assign(origin=name))


def _renamed(part: Sample, names: Mapping[str, str]) -> Sample:
    raw = {new: part.raw[old] for old, new in names.items()}
    return dataclasses.replace(
        part, raw=raw, calibrated={new: part.calibrated[old] for old, new in names.items()}
    )


def _joined(part: Sample, other: Sample) -> Sample:
    keys = [*LOAN_MONTH, "label"]
    if part.role != other.role or not part.frame[keys].equals(other.frame[keys]):
        raise InputError(
            required="models that are judged on the same rows and labels",
            found=f"{', '.join(part.raw)} and {', '.join(other.raw)} on different ones ({part.role})",
            do="compare architectures of one head, on one source",
        )
    return dataclasses.replace(
        part, raw={**part.raw, **other.raw}, calibrated={**part.calibrated, **other.calibrated}
    )
