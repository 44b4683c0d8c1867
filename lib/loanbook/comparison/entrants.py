"""What is compared: the architectures and baselines that were asked for, and what each cost."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loanbook.comparison.seconds import Seconds
from loanbook.errors import InputError
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.baselines import known_baselines
from loanbook.models.inputs.rows import Rows
from loanbook.settings.choice import Choice
from loanbook.settings.files import conf_names
from loanbook.settings.model import load_model_settings
from loanbook.settings.section import nearest
from loanbook.settings.train import TrainSettings

ALL = "all"  # of --models: every architecture and every baseline


@dataclass(frozen=True)
class Asked:
    """The architectures to compare, files of ``conf/models``, and the baselines beside them."""

    architectures: tuple[str, ...]
    baselines: tuple[Choice, ...]


def asked_for(models: str | None, settings: TrainSettings) -> Asked:
    """Return what to compare.

    Args:
        models: names of architectures and baselines, parted by commas; ``all`` but architectures that name a
            head, which may be judged by another label; None: those of the settings.
        settings: of the training; a baseline keeps the settings that it has there. One architecture at least
            takes part, by default theirs, and one baseline.

    Raises:
        InputError: a name is of neither.

    >>> found = asked_for("mlp_64_32,cart", TrainSettings())
    >>> found.architectures, [choice.name for choice in found.baselines]
    (('mlp_64_32',), ['cart'])
    """
    architectures, baselines = conf_names("models"), known_baselines()
    of_settings = {choice.name: choice for choice in settings.baselines}
    if models is None:
        return Asked((settings.model,), settings.baselines)
    headless = [name for name in architectures if load_model_settings(name).head is None]
    names = [*headless, *baselines] if models == ALL else [name.strip() for name in models.split(",")]
    for name in names:
        if name not in (*architectures, *baselines):
            known = [*architectures, *baselines]
            raise InputError(
                required=f"--models of architectures ({', '.join(architectures)}) and baselines "
                f"({', '.join(baselines)}), or all",
                found=repr(name) + nearest(name, known),
                do="correct the name",
            )
    networks = tuple(dict.fromkeys(name for name in names if name in architectures))
    beside = [name for name in dict.fromkeys(names) if name in baselines]
    choices = tuple(of_settings.get(name, Choice(name=name)) for name in beside)
    return Asked(networks or (settings.model,), choices or settings.baselines)


@dataclass(frozen=True)
class Entrant:
    """One of the compared.

    Args:
        name: of its architecture, or of the baseline.
        artefact: that holds it.
        predictor: what it is called in there.
        seconds: that its training took, of a network while all workers trained it, of a baseline on one core;
            None where no run says.
        before: whether it was trained before the comparison.
    """

    name: str
    artefact: Artefact
    predictor: str
    seconds: float | None = None
    before: bool = False

    def loss(self, sample: str) -> float | None:
        """Return its calibrated log loss on a sample, as its training found it."""
        found = self.artefact.json("metrics.json")["log_loss"].get(sample, {}).get(self.predictor)
        return None if found is None else float(found["calibrated"])

    @property
    def parameters(self) -> int | None:
        """Return the weights of all members; of a baseline None."""
        return int(self.artefact.json("metrics.json")["parameters"]) if self.predictor == MODEL else None


def entrants_of(
    artefacts: Mapping[str, Artefact],
    baselines: Sequence[str],
    seconds: Mapping[str, Seconds],
    before: Mapping[str, Seconds],
) -> list[Entrant]:
    """Return the architectures in the order given, then the baselines, which all share.

    Args:
        artefacts: by architecture, trained with these baselines, or with more.
        baselines: names of those that are compared.
        seconds: of training, by architecture and predictor; of one that was trained before, none.
        before: the same of the trainings before the comparison.
    """
    first = next(iter(artefacts))
    own = {
        name: Entrant(name, artefact, MODEL, *_cost(MODEL, [seconds.get(name, {})], [before.get(name, {})]))
        for name, artefact in artefacts.items()
    }
    every = list(seconds.values()), list(before.values())
    beside = [Entrant(name, artefacts[first], name, *_cost(name, *every)) for name in baselines]
    return [*own.values(), *beside]


def _cost(predictor: str, now: Sequence[Seconds], before: Sequence[Seconds]) -> tuple[float | None, bool]:
    """Return the seconds of a predictor, and whether they were spent before."""
    for trainings, earlier in ((now, False), (before, True)):
        for of in trainings:
            if predictor in of:
                return of[predictor], earlier
    return None, True


def rows_a_second(entrant: Entrant, rows: Rows) -> float | None:
    """Return how many prepared rows a core predicts in a second; None where there is none to try it on."""
    if not len(rows):
        return None
    predictor = entrant.artefact.predictor(entrant.predictor)
    predictor.predict(*(part[:1000] for part in rows.inputs))  # the first call sets things up
    start = time.perf_counter()
    predictor.predict(*rows.inputs)
    return len(rows) / (time.perf_counter() - start)
