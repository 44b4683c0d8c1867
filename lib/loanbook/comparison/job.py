"""The comparison job: trains what is not trained yet, and holds all against each other on the same rows."""

import dataclasses
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import functions as F

from loanbook.book.tape_kind import tape_kind
from loanbook.code_version import code_version
from loanbook.comparison.alike import require_same_event, require_same_thinning
from loanbook.comparison.contest import Contest, contest_of
from loanbook.comparison.entrants import ALL, asked_for, entrants_of, rows_a_second
from loanbook.comparison.learning import Learning, learning_of, stopping_borrowers
from loanbook.comparison.origins import Origin, judged_samples
from loanbook.comparison.page import Compared, render, table
from loanbook.comparison.seconds import Seconds, seconds_before, seconds_of
from loanbook.comparison.wording import conclusions
from loanbook.evaluation.basis import basis_of
from loanbook.evaluation.distance import TO_TRUTH
from loanbook.evaluation.job import delivered_to
from loanbook.evaluation.publish import frame_of
from loanbook.evaluation.truth import compared_with, truth_folder
from loanbook.evaluation.vintages import with_vintages
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.artefact.saved_artefacts import load_artefact
from loanbook.models.backbones import needed_groups
from loanbook.models.inputs.fitting_sequences import has_history
from loanbook.output import say
from loanbook.settings.model import load_model_settings
from loanbook.steps import Steps
from loanbook.tables.columns import quoted
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.tables.loans import LOANS
from loanbook.training.architecture import checked_architecture, target_head
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.read import open_snapshot
from loanbook.warehouse.runs import Run
from loanbook.warehouse.storage import published_folder, write_json

logger = logging.getLogger(__name__)

PAGE, NUMBERS = "comparison.html", "comparison.json"
TIMED_ROWS = 50_000


def compare_models(
    run: Run, *, models: str | None = None, workers: int | None = None, truth: str | None = None
) -> dict[str, Any]:
    """Compare architectures and baselines of one source on the same snapshot, split and members.

    Architectures that are not trained yet are, as challengers: none of them comes to score the book by it.
    With several rolling origins (``train.folds``) the test rows are those of all, each predicted by what was
    trained as of its origin.

    Args:
        run: the job's run.
        models: names of architectures and baselines, parted by commas, or ``all``; by default those of the
            settings.
        workers: Horovod processes; by default ``settings.train.workers``.
        truth: folder of a simulated book's truth, which every entrant is held against.

    Returns:
        The entrants with their log losses and differences, what the data decide, and where the page is.

    Raises:
        InputError: no such architecture or baseline, a package that is not installed, unpublished tables,
            architectures of different events or whose training rows are thinned differently, or no truth of
            this book in that folder.
    """
    asked = asked_for(models, run.settings.train)
    steps = Steps(run)
    steps.use_baselines(asked.baselines)
    heads = {name: checked_architecture(name, steps.settings.train).head for name in asked.architectures}
    run.source = run.only_source(FEATURES, made_by="build-features")
    architectures = asked.architectures if models != ALL else _fit_for(run, asked.architectures)
    tape = tape_kind(run.read_source(DELIVERIES, run.source), run.source)
    targets = {
        name: target_head(heads[name], tape, run.settings.default_definition) for name in architectures
    }
    require_same_event(targets)
    require_same_thinning(targets, steps.settings.train)
    folder_of_truth = truth_folder(truth, targets[architectures[0]], delivered_to(run, run.source))
    trained = {
        architecture: steps.do(
            "train-model", model=architecture, workers=workers, resume=False, challenger=True
        )
        for architecture in architectures
    }
    seconds = {name: seconds_of(one["phase_seconds"]) for name, one in trained.items()}
    origins = _origins(run, trained, [choice.name for choice in asked.baselines], seconds)
    compared = _compared(run, origins, folder_of_truth)
    name, version = f"{run.source}-comparison", _version(origins)
    _publish(run, name, version, compared.contest)
    folder = run.storage.report_folder(name, version)
    with published_folder(folder) as written:
        write_json(written / NUMBERS, _numbers(compared))
        (written / PAGE).write_text(render(compared), "utf-8")
    say(table(compared) + "\n")
    return {
        "source": run.source,
        "comparison": version,
        **_numbers(compared),
        "trained": [name for name in trained if MODEL in seconds[name]],
        "report": str(folder / PAGE),
    }


def _fit_for(run: Run, architectures: Sequence[str]) -> list[str]:
    """Return the architectures that need no history, and those that do where the tape has one."""
    features = run.read(FEATURES, made_by="build-features").where(F.col("source") == str(run.source))
    if has_history(features, [item.name for item in CATALOGUE if item.kind == "sequence"]):
        return list(architectures)
    backbones = {name: load_model_settings(name).backbone for name in architectures}
    needing = {name for name, choice in backbones.items() if "sequences" in needed_groups(choice)}
    logger.info("left out, as the tape has no history: %s", ", ".join(sorted(needing)))
    return [name for name in architectures if name not in needing]


def _origins(
    run: Run,
    trained: Mapping[str, Mapping[str, Any]],
    baselines: Sequence[str],
    seconds: Mapping[str, Seconds],
) -> list[Origin]:
    """Return the compared as of each origin, the most recent first; that one has the seconds of training.

    Earlier ones that held too few defaults to train on are left out: nothing would be compared.
    """

    def entered(versions: Mapping[str, str], newest: bool) -> Origin:
        artefacts = {
            name: load_artefact(run.storage, trained[name]["model"], version)
            for name, version in versions.items()
        }
        costs = (seconds, seconds_before(run.runs_before, artefacts)) if newest else ({}, {})
        snapshots = {
            one.snapshot_id: open_snapshot(run.storage, one.snapshot_id) for one in artefacts.values()
        }
        return Origin(entrants_of(artefacts, baselines, *costs), snapshots)

    earlier: dict[str, dict[str, str]] = {}
    for name, result in trained.items():
        for one in result["earlier_origins"]:
            earlier.setdefault(one["fold"], {})[name] = one["model_version"]
    newest = {name: result["model_version"] for name, result in trained.items()}
    before = [entered(earlier[fold], False) for fold in sorted(earlier)]
    return [entered(newest, True), *(origin for origin in before if origin.is_trained)]


def _compared(run: Run, origins: Sequence[Origin], truth: Path | None) -> Compared:
    settings, newest = run.settings.evaluate, origins[0]
    entrants, first = newest.entrants, newest.entrants[0].artefact
    run.inputs = dict(first.json("inputs.json")["tables"])
    basis, checked = basis_of(first), newest.fold.checked_on
    samples, folds = zip(*judged_samples(origins, settings.development_rows), strict=True)
    dated = with_vintages(run.read_source(LOANS, str(run.source)), samples)
    losses = {one.name: loss for one in entrants if (loss := one.loss(checked)) is not None}
    known = compared_with(dated[0], truth)
    found = contest_of(list(zip(dated, folds, strict=True)), losses, settings, basis, known)
    timed = {name: one.rows((TEST,), TIMED_ROWS) for name, one in newest.snapshots.items()}
    speeds = {one.name: rows_a_second(one, timed[one.artefact.snapshot_id]) for one in entrants}
    about = _about(run, origins)
    return Compared(found, entrants, speeds, newest.baselines[0], basis, about, _learning(newest))


def _about(run: Run, origins: Sequence[Origin]) -> dict[str, str]:
    """Return the lineage of a comparison, name to words."""
    newest = origins[0]
    first = newest.entrants[0].artefact
    networks = [one for one in newest.entrants if one.predictor == MODEL]
    taught = [f"{one.name} by {one.artefact.teacher}" for one in networks if one.artefact.teacher]
    tables = ", ".join(f"{name} version {version}" for name, version in sorted(run.inputs.items()))
    folds = [one.fold for one in origins]
    tested = [f"{fold.name}: to {fold.development_to}, tested to {fold.test_to}" for fold in folds]
    return {
        "Source": str(run.source),
        "Architectures": ", ".join(f"{one.name} {one.artefact.version}" for one in networks),
        **({"Taught": "; ".join(taught)} if taught else {}),
        "Baselines": ", ".join(newest.baselines),
        "Members": str(first.json("metrics.json")["members"]),
        **({"Origins": "; ".join(tested)} if len(origins) > 1 else {}),
        "Training snapshot": f"{first.snapshot_id}, of {tables}",
        "Compared by": f"{run.run_id}, loanbook {code_version()}",
    }


def _learning(origin: Origin) -> dict[str, Learning | None]:
    """Return how each network learnt, and each baseline that has learning curves."""
    stopped_by = {name: stopping_borrowers(one) for name, one in origin.snapshots.items()}
    found = [(one, learning_of(one, stopped_by[one.artefact.snapshot_id])) for one in origin.entrants]
    return {one.name: curves for one, curves in found if curves or one.predictor == MODEL}


def _version(origins: Sequence[Origin]) -> str:
    """Return a name that follows from what was compared."""
    entrants = [one for origin in origins for one in origin.entrants]
    content = sorted(f"{one.artefact.name} {one.artefact.version} {one.predictor}" for one in entrants)
    return f"{entrants[0].artefact.version[:8]}-{hashlib.sha256(repr(content).encode()).hexdigest()[:8]}"


def _publish(run: Run, name: str, version: str, contest: Contest) -> None:
    """Replace the rows of the same comparison."""
    rows = pd.DataFrame(
        [{"model_name": name, "model_version": version, **dataclasses.asdict(row)} for row in contest.rows]
    )
    where = f"model_name = {quoted(name)} AND model_version = {quoted(version)}"
    run.replace(EVALUATIONS, frame_of(run.spark, EVALUATIONS, [rows]), where)
    run.count("evaluations", len(rows))


def _numbers(compared: Compared) -> dict[str, Any]:
    contest, reference = compared.contest, compared.reference
    development = contest.samples[1].role

    def figures(name: str) -> dict[str, Any]:
        by = contest.difference(name, reference)
        return {
            "log_loss": contest.value(name, "log_loss"),
            f"log_loss_{development}": contest.losses.get(name),
            "auc": contest.value(name, "auc"),
            f"less_{reference}": None if by is None else [by.estimate, by.low, by.high],
            "status": contest.status(name),
            "shortfalls": list(contest.shortfalls.get(name, ())),
            **({metric: contest.value(name, metric) for metric in TO_TRUTH} if contest.truth else {}),
        }

    return {
        "best": contest.best,
        "truth_coverage": contest.truth.coverage if contest.truth else None,
        "entrants": {name: figures(name) for name in contest.names},
        "conclusions": conclusions(contest),
    }
