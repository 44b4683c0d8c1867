"""All the jobs in one Spark session: tapes in, a scored book out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loanbook.errors import InputError
from loanbook.models.artefact.fit_for import require_leading, require_source
from loanbook.models.artefact.saved_artefacts import load_artefact, versions
from loanbook.models.heads import head
from loanbook.output import say
from loanbook.path_forms import local_path
from loanbook.scoring.summary import summary_table
from loanbook.settings.train import wanted_workers
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.mapping.macro_mapping import MacroMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from loanbook.steps import Steps
from loanbook.training.architecture import checked_architecture
from loanbook.training.fit.horovod_run import assert_task_slots
from loanbook.warehouse.runs import Run

SIMULATED_SOURCE = "simulated"
SIMULATED_MACRO = "macro_simulated"


def run_pipeline(
    run: Run,
    *,
    tapes: list[str] | None,
    delivered_at: str | None,
    scope: str,
    macro: list[str] | None,
    macro_source: str | None,
    simulate: str | None,
    model: str | None,
    workers: int | None,
) -> dict[str, Any]:
    """Ingest, build features and labels, train, evaluate and score, each job with its own ``runs`` row.

    With ``simulate`` the tapes, macro series and truth are made first, and the truth is compared with.

    Raises:
        InputError: neither tapes with a source nor ``simulate``, or both; macro files without their mapping.
    """
    _check_arguments(run, tapes, macro, macro_source, simulate)
    _check_before_the_work(run, macro, macro_source, model, workers)
    steps = Steps(run)
    truth = None
    if simulate:
        book = local_path(run.settings.paths.simulated, "paths.simulated")
        steps.do("simulate-tapes", size=simulate, out=str(book), seed=None, loans=None, months=None)
        tapes, macro, truth = [str(book / "tapes")], [str(book / "macro")], str(book / "truth")
        run.source, macro_source = SIMULATED_SOURCE, SIMULATED_MACRO
    ingested = steps.do(
        "ingest-tapes", as_of=run.as_of, tapes=tapes, delivered_at=delivered_at, scope=scope, replay=None
    )
    run.source = ingested["source"]  # --source may be the path of a mapping; the tables hold its name
    _check_model_of_book(run, ingested["source"], model or run.settings.train.model)
    if macro:
        steps.use_macro(
            steps.do("ingest-macro", source=macro_source, files=macro, delivered_at=None)["source"]
        )
    steps.do("build-features")
    steps.do("build-labels")
    trained = steps.do("train-model", model=model, workers=workers, resume=False, challenger=False)
    chosen = {"model": trained["model"], "model_version": trained["model_version"]}
    evaluated = steps.do("evaluate-model", **chosen, truth=truth)
    # Without a model named: that of score.model, else the one just trained.
    scored = steps.do("score-portfolio", as_of=run.as_of, model=None, model_version=None)
    say(summary_table(scored) + "\n")
    return _result(ingested, trained, evaluated, scored, steps.seconds)


def _check_before_the_work(
    run: Run, macro: list[str] | None, macro_source: str | None, model: str | None, workers: int | None
) -> None:
    """Refuse now what a later job would refuse after hours.

    Raises:
        InputError: no such architecture, or one whose scores cannot be the book's, too few or too many
            workers, or series of another mapping.
    """
    architecture = model or run.settings.train.model
    found = checked_architecture(architecture, run.settings.train)
    if found.head is not None:
        require_leading(head(found.head), f"the architecture {architecture}")
    size = wanted_workers(run.settings.train, workers)
    if macro and macro_source:
        find_files(macro, load_mapping(MacroMapping, macro_source).files)
    assert_task_slots(run.spark, size)


def _check_model_of_book(run: Run, source: str, architecture: str) -> None:
    """Refuse now a ``score.model`` that is neither there for the source nor about to be trained.

    Raises:
        InputError: there is no such model, it is of another source, or its scores cannot be the book's.
    """
    name, _, version = (run.settings.score.model or "").partition("/")
    if not name or (name == f"{source}-{Path(architecture).stem}" and not version):
        return
    known = versions(run.storage, name) or [""]
    artefact = load_artefact(run.storage, name, version or known[-1])
    require_source(artefact, source)
    require_leading(artefact.head, f"score.model {artefact.name} {artefact.version}")


def _check_arguments(
    run: Run, tapes: list[str] | None, macro: list[str] | None, macro_source: str | None, simulate: str | None
) -> None:
    if simulate and (tapes or macro or run.source):
        raise InputError(
            required="either --simulate, or --source with --tapes",
            found="both",
            do="leave out --simulate to run on your own tapes",
        )
    if not simulate and not (tapes and run.source):
        raise InputError(
            required="--source NAME and --tapes FOLDER (or --simulate demo)",
            found=f"--source {run.source}, --tapes {' '.join(tapes or []) or None}",
            do="name the mapping in conf/sources and the folder of the tapes",
        )
    if bool(macro) != bool(macro_source) and not simulate:
        raise InputError(
            required="--macro and --macro-source together",
            found=f"--macro {macro}, --macro-source {macro_source}",
            do="give the files of the series and the name of their mapping in conf/sources",
        )
    missing = [path for path in (tapes or []) + (macro or []) if not Path(path).exists()]
    if missing:
        raise InputError(required="files that exist", found=f"no {', '.join(missing)}", do="correct the path")


def _result(
    ingested: Mapping[str, Any],
    trained: Mapping[str, Any],
    evaluated: Mapping[str, Any],
    scored: Mapping[str, Any],
    seconds: dict[str, float],
) -> dict[str, Any]:
    from_evaluation = (
        "event", "held_out", "rank_only", "auc", "log_loss", "log_loss_of_truth", "log_loss_of_baselines",
        "gap_closed", "gap_closed_against", "report",
    )  # fmt: skip
    return {
        "model": trained["model"],
        "model_version": trained["model_version"],
        "evaluation": evaluated["evaluation"],
        **{
            name: ingested[name]
            for name in ("loans", "loan_months", "quarantined", "superseded", "set_aside")
        },
        "scores": scored["scores"],
        "predictor": scored["predictor"],
        "predictor_because": scored["predictor_because"],
        "log_loss_of_predictor": evaluated["log_loss_of_baselines"].get(
            scored["predictor"], evaluated["log_loss"]
        ),
        **{name: evaluated.get(name) for name in from_evaluation},
        "seconds_by_job": seconds,
    }
