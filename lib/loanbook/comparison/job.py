"""The comparison job: trains what is not trained yet, and holds all against each other on the same rows."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from loanbook.code_version import code_version
from loanbook.comparison.contest import Contest, contest_of
from loanbook.comparison.entrants import Entrant, asked_for, entrants_of, rows_a_second, shared_samples
from loanbook.comparison.learning import Learning, learning_of, stopping_loans
from loanbook.comparison.page import Compared, render, table
from loanbook.comparison.seconds import seconds_before, seconds_of
from loanbook.comparison.wording import conclusions
from loanbook.evaluation.basis import basis_of, on
from loanbook.evaluation.publish import frame_of
from loanbook.evaluation.vintages import with_vintages
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import MODEL, Artefact, load_artefact
from loanbook.output import say
from loanbook.steps import Steps
from loanbook.tables.columns import quoted
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.training.architecture import checked_architecture
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.read import Snapshot, open_snapshot
from loanbook.warehouse.runs import Run
from loanbook.warehouse.storage import published_folder, write_json

PAGE, NUMBERS = "comparison.html", "comparison.json"
TIMED_ROWS = 50_000


def compare_models(run: Run, *, models: str | None = None, workers: int | None = None) -> dict[str, Any]:
    """Compare architectures and baselines of one source on the same snapshot, split and members.

    Architectures that are not trained yet are, as challengers: none of them comes to score the book by it.

    Args:
        run: the job's run.
        models: names of architectures and baselines, parted by commas, or ``all``; by default those of the
            settings.
        workers: Horovod processes; by default ``settings.train.workers``.

    Returns:
        The entrants with their log losses and differences, what the data decide, and where the page is.

    Raises:
        InputError: no such architecture or baseline, a package that is not installed, unpublished tables, or
            architectures that are judged on other rows.
    """
    asked = asked_for(models, run.settings.train)
    steps = Steps(run)
    steps.use_baselines(asked.baselines)
    for architecture in asked.architectures:
        checked_architecture(architecture, steps.settings.train)
    run.source = run.only_source(FEATURES, made_by="build-features")
    artefacts: dict[str, Artefact] = {}
    seconds: dict[str, dict[str, float]] = {}
    for architecture in asked.architectures:
        trained = steps.do("train-model", model=architecture, workers=workers, resume=False, challenger=True)
        artefacts[architecture] = load_artefact(run.storage, trained["model"], trained["model_version"])
        seconds[architecture] = seconds_of(trained["phase_seconds"])
    entrants = entrants_of(artefacts, seconds, seconds_before(run, artefacts))
    compared = _compared(run, artefacts, entrants)
    name, version = f"{run.source}-comparison", _version(compared.entrants)
    _publish(run, name, version, compared.contest)
    folder = run.storage.report_folder(name, version)
    with published_folder(folder) as target:
        write_json(target / NUMBERS, _numbers(compared))
        (target / PAGE).write_text(render(compared), "utf-8")
    say(table(compared) + "\n")
    return {
        "source": run.source,
        "comparison": version,
        **_numbers(compared),
        "trained": [name for name in artefacts if MODEL in seconds[name]],
        "report": str(folder / PAGE),
    }


def _compared(run: Run, artefacts: Mapping[str, Artefact], entrants: Sequence[Entrant]) -> Compared:
    settings = run.settings.evaluate
    snapshots = {one.snapshot_id: open_snapshot(run.storage, one.snapshot_id) for one in artefacts.values()}
    first = entrants[0].artefact
    run.inputs = dict(first.json("inputs.json")["tables"])
    snapshot, basis = snapshots[first.snapshot_id], basis_of(first)
    samples = with_vintages(
        run, str(run.source), shared_samples(entrants, snapshots, settings.development_rows)
    )
    checked = snapshot.fold.checked_on
    losses = {one.name: loss for one in entrants if (loss := one.loss(checked)) is not None}
    found = contest_of(samples, losses, snapshot.fold.name, settings)
    found = dataclasses.replace(found, rows=on(basis, found.rows))
    versions = ", ".join(f"{name} {one.version}" for name, one in artefacts.items())
    tables = ", ".join(f"{name} version {version}" for name, version in sorted(run.inputs.items()))
    about = {
        "Source": str(run.source),
        "Architectures": versions,
        "Baselines": ", ".join(first.baselines),
        "Members": str(first.json("metrics.json")["members"]),
        "Training snapshot": f"{snapshot.id}, of {tables}",
        "Compared by": f"{run.run_id}, loanbook {code_version()}",
    }
    timed = {name: one.rows((TEST,), TIMED_ROWS) for name, one in snapshots.items()}
    speeds = {one.name: rows_a_second(one, timed[one.artefact.snapshot_id]) for one in entrants}
    learning = _learning(entrants, snapshots)
    return Compared(found, entrants, speeds, first.baselines[0], basis, about, learning)


def _learning(entrants: Sequence[Entrant], snapshots: Mapping[str, Snapshot]) -> dict[str, Learning | None]:
    """Return how each network learnt, and each baseline that has learning curves."""
    stopped_by = {name: stopping_loans(one) for name, one in snapshots.items()}
    found = [(one, learning_of(one, stopped_by[one.artefact.snapshot_id])) for one in entrants]
    return {one.name: curves for one, curves in found if curves or one.predictor == MODEL}


def _version(entrants: Sequence[Entrant]) -> str:
    """Return a name that follows from what was compared."""
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
        }

    return {
        "best": contest.best,
        "entrants": {name: figures(name) for name in contest.names},
        "conclusions": conclusions(contest),
    }
