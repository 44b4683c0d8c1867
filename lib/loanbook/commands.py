"""The commands: name, arguments, and the function that does each."""

from loanbook.arguments import (
    DELIVERED_AT,
    MODEL,
    MODEL_VERSION,
    ONE_SOURCE,
    REPLAY,
    SCOPE,
    SCORING_MODEL,
    SIZE,
    TAPES,
    TRAIN_MODEL,
    TRUTH,
    WORKERS,
    Command,
    argument,
)

COMMANDS = {
    command.name: command
    for command in (
        Command(
            "simulate-tapes",
            "write a simulated book: tapes, macro file and truth",
            "loanbook.simulate.job:simulate_tapes",
            (
                SIZE,
                argument("--out", "folder to write to", required=True),
                argument("--seed", "seed of every draw (default: settings, simulate.seed)", type=int),
                argument("--loans", "how many loans, in place of the size's own", type=int),
                argument("--months", "how many months of tape, in place of the size's own", type=int),
            ),
            writes_warehouse=False,
        ),
        Command(
            "ingest-tapes",
            "loan tapes into loans, performance and terminations; what is rejected into quarantine",
            "loanbook.sources.job:ingest_tapes",
            (TAPES, DELIVERED_AT, SCOPE, REPLAY),
        ),
        Command(
            "ingest-macro",
            "economic series into macro, with the day each value became known",
            "loanbook.sources.macro_job:ingest_macro",
            (argument("--files", "files or folder of the series", nargs="+", required=True), DELIVERED_AT),
        ),
        Command(
            "build-features",
            "the feature panel: one row for every loan in the book and month",
            "loanbook.features.job:build_features",
        ),
        Command(
            "build-labels",
            "labels of the matured cohorts, and outcomes",
            "loanbook.labels.job:build_labels",
        ),
        Command(
            "train-model",
            "train a default model on several workers, with baselines beside it",
            "loanbook.training.job:train_model",
            (
                TRAIN_MODEL,
                WORKERS,
                argument("--resume", "go on from the last checkpoint", action="store_true"),
                argument(
                    "--challenger",
                    "train without making it the model that scores the book; nothing to do if it is trained",
                    action="store_true",
                ),
            ),
        ),
        Command(
            "evaluate-model",
            "judge a model on its out-of-time rows: predictions, evaluations, a page",
            "loanbook.evaluation.job:evaluate_model",
            (
                MODEL,
                MODEL_VERSION,
                TRUTH,
            ),
        ),
        Command(
            "score-portfolio",
            "score every loan in the book at --as-of",
            "loanbook.scoring.job:score_portfolio",
            (SCORING_MODEL, MODEL_VERSION),
        ),
        Command(
            "erase-loan",
            "remove loans from every table, with a record that does not name them",
            "loanbook.maintenance.erase_loan:erase_loan",
            (argument("--loan-id", "identifiers of the loans in the tape", nargs="+", required=True),),
        ),
        Command(
            "settle-changes",
            "publish what other programs committed to a table, or undo it",
            "loanbook.maintenance.settle_changes:settle_changes",
            (
                argument("--table", "name of the table", required=True),
                argument("--take", "publish the table as it stands", action="store_true"),
                argument("--undo", "make it as it was last published", action="store_true"),
            ),
        ),
        Command(
            "compare-models",
            "architectures and baselines on the same rows, trained if they are not: a table and a page",
            "loanbook.comparison.job:compare_models",
            (
                argument(
                    "--models",
                    "files of conf/models and baselines, parted by commas, or all (default: train.model and "
                    "train.baselines)",
                ),
                WORKERS,
                TRUTH,
            ),
        ),
        Command(
            "run-pipeline",
            "all of it in one session: tapes in, a scored book out",
            "loanbook.pipeline:run_pipeline",
            (
                argument("--tapes", "folder or files of the tape", nargs="+"),
                DELIVERED_AT,
                SCOPE,
                argument("--macro", "files or folder of economic series", nargs="+"),
                argument("--macro-source", "mapping of the series, in conf/sources"),
                argument(
                    "--simulate",
                    "simulate the tapes first, of this size",
                    choices=("tiny", "demo", "frailty"),
                ),
                TRAIN_MODEL,
                WORKERS,
            ),
        ),
    )
}

# Their functions take the parsed options, start no JVM and publish nothing.
WITHOUT_JVM = {
    command.name: command
    for command in (
        Command(
            "sql",
            "query the tables and views with DuckDB, without a JVM",
            "loanbook.sql.prompt:main",
            (
                argument("query", "a query; without one, a prompt opens", nargs="?"),
                argument("--format", "form of the answer", choices=("table", "csv", "json"), default="table"),
            ),
        ),
        Command(
            "show-quarantine",
            "the rejected lines by reason, with examples; --export writes them out to be mended",
            "loanbook.quality.show_quarantine:show_quarantine",
            (
                ONE_SOURCE,
                argument("--reason", "only lines that failed this check"),
                argument("--delivery", "only lines of this file: its name, or its key in deliveries"),
                argument("--limit", "example lines for each reason", type=int, default=3),
                argument("--export", "write the lines as read to this new file", metavar="FILE"),
            ),
        ),
        Command(
            "reconcile",
            "every delivered file: its lines by fate, their balance, and the difference, which must be 0",
            "loanbook.quality.reconciliation_report:reconcile",
            (ONE_SOURCE,),
        ),
        Command(
            "list-features",
            "the feature catalogue: what each feature means, its range, and since when its inputs are known",
            "loanbook.features.listing:list_features",
            (
                argument("--theme", "only the features of this theme"),
                argument(
                    "--format",
                    "form of the list; markdown is the documentation page",
                    choices=("table", "markdown", "csv", "json"),
                    default="table",
                ),
            ),
        ),
        Command(
            "inspect-tape",
            "what a file that has arrived holds: dialect, layout, fields, keys; a mapping to begin with",
            "loanbook.sources.inspect.command:inspect_tape",
            (
                argument(
                    "files",
                    "files, folders, .gz or .zip archives of delimited text or Parquet",
                    nargs="+",
                    metavar="FILE",
                ),
                argument("--lines", "lines to read of each file, 0 for all", type=int, default=100_000),
                argument("--write-mapping", "write a mapping to edit to this new file", metavar="FILE.yaml"),
            ),
        ),
    )
}
