"""Which trained model a job works with, and whether its scores are the book's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Row

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.fit_for import require_leading
from loanbook.models.artefact.saved_artefacts import load_artefact, model_names
from loanbook.settings.score import ScoreSettings
from loanbook.warehouse.storage import Storage

Role = Literal["book", "challenger"]


@dataclass(frozen=True)
class Chosen:
    """A model, whether the caller named it in this run, and whether its scores are the book's."""

    artefact: Artefact
    by_name: bool
    role: Role


@dataclass(frozen=True)
class TrainedModels:
    """The models of a warehouse, to choose from.

    Args:
        storage: knows where they live.
        published: rows of ``runs`` of the published runs, the newest last: they trained, or scored with, one.
        source: whose models are considered; None: all.
        settings: ``score.model`` and the scenario.
    """

    storage: Storage
    published: Sequence[Row]
    source: str | None
    settings: ScoreSettings

    def for_book(self, model: str | None, version: str | None) -> Chosen:
        """Return the model that scores the book, or the challenger that was asked for.

        Without a model given it is the one of ``score.model``, else the one trained last that was not trained
        as a challenger. A model given is a challenger, unless it is that of ``score.model`` or of the last
        published scores of the book, or the book has none yet and it may lead (``Head.leads``).

        Raises:
            InputError: as ``choose`` does, or that of ``score.model`` may not lead.
        """
        if model is None and version is None:
            return Chosen(self._by_settings() or self.choose(None, None), by_name=False, role="book")
        artefact = self.choose(model, version)
        of_book = self._scored_last()
        first = of_book is None and artefact.head.leads
        is_book = first or of_book == (artefact.name, artefact.version)
        if not is_book and artefact.name == self._setting[0]:
            by_settings = self._by_settings()
            is_book = by_settings is not None and by_settings.version == artefact.version
        return Chosen(artefact, by_name=True, role="book" if is_book else "challenger")

    def choose(self, model: str | None, version: str | None) -> Artefact:
        """Return the artefact asked for; by default that of the training run published last.

        A model given without its version means the version trained last, and not as a challenger, unless
        all of them were.

        Raises:
            InputError: nothing has been trained, or nothing but challengers, a version is given without its
                model, or there is no such model.
        """
        if model is None and version is not None:
            raise InputError(
                required="--model NAME with --model-version",
                found=f"--model-version {version} alone",
                do="name the model too",
            )
        if model is not None and version is not None:
            return load_artefact(self.storage, model, version)
        trained = self._trained_last(model)
        if trained is not None:
            return load_artefact(self.storage, *trained)
        challengers = [] if model else self._trained(None)
        if challengers:
            names = sorted({row["model_name"] for row in challengers})
            raise InputError(
                required="a trained model that is no challenger",
                found=f"only challengers: {', '.join(names)}",
                do="name one of them with --model, or train one for the book: train-model without "
                "--challenger, of default within 12 months or of the tape's own outcome",
            )
        what = f"of the name {model!r}" if model else f"of the source {self.source!r}" if self.source else ""
        raise InputError(
            required=f"a trained model {what}".rstrip(),
            found=f"no published run of train-model for it in {self.storage.paths.warehouse}; "
            f"models: {', '.join(model_names(self.storage)) or 'none'}",
            do="run train-model first, or name a model of paths.models with --model and --model-version",
        )

    @property
    def _setting(self) -> tuple[str | None, str | None]:
        name, _, version = (self.settings.model or "").partition("/")
        return name or None, version or None

    def _by_settings(self) -> Artefact | None:
        name, version = self._setting
        if name is None:
            return None
        found = self.choose(name, version)
        require_leading(found.head, f"score.model {found.name} {found.version}")
        return found

    def _scored_last(self) -> tuple[str, str] | None:
        """Return the model of the last published scores of the book."""
        key = ("score_portfolio", self.source, self.settings.scenario, "book")
        for row in reversed(self.published):
            if (row["job"], row["source"], row["scenario"], row["model_role"]) == key:
                return row["model_name"], row["model_version"]
        return None

    def _trained_last(self, model: str | None) -> tuple[str, str] | None:
        trained = self._trained(model)
        for_book = [row for row in trained if row["model_role"] != "challenger"]
        found = for_book or (trained if model is not None else [])
        return (found[0]["model_name"], found[0]["model_version"]) if found else None

    def _trained(self, model: str | None) -> list[Row]:
        """Return the rows of trainings of a model, or of any, the newest first."""
        return [
            row
            for row in reversed(self.published)
            if row["job"] == "train_model" and self._is_asked_for(row, model)
        ]

    def _is_asked_for(self, row: Row, model: str | None) -> bool:
        if model is not None:
            return bool(row["model_name"] == model)
        return self.source is None or bool(row["source"] == self.source)
