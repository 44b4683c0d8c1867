"""The job ``simulate_tapes``: tapes, macro file and truth of a simulated book."""

import csv
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from loanbook.errors import InputError
from loanbook.logs import progress
from loanbook.settings.section import nearest
from loanbook.settings.simulate import SimulationSettings, SizeSettings
from loanbook.simulate import chain as ch
from loanbook.simulate.all_cores import Each, on_all_cores
from loanbook.simulate.book import Loans, make_book
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.hazards import traits
from loanbook.simulate.identity import MANIFEST, write_identity
from loanbook.simulate.macro import Macro, macro_rows, realised_macro, run_on
from loanbook.simulate.origination_tape import loan_ids, origination_columns, vintages
from loanbook.simulate.panel import Panel, mtm_ltv, simulate_panel
from loanbook.simulate.performance_tape import Observed, observe, performance_columns
from loanbook.simulate.text import write_lines
from loanbook.simulate.truth import Book
from loanbook.simulate.truth_files import TruthBlock, sampled, wanted_rows, write_truth
from loanbook.simulate.truth_readme import readme

log = logging.getLogger(__name__)

BLOCK_LOANS = 40_000  # loans simulated at once, a bound on memory
SHORTEST = 30  # months that hold a recession and a matured cohort
FOLDERS = ("tapes", "macro", "truth")


class HasSimulation(Protocol):
    """Settings with a section ``simulate``."""

    @property
    def simulate(self) -> SimulationSettings:
        """Return the simulator's settings."""


class HasSettings(Protocol):
    """A run, as far as this job needs one."""

    @property
    def settings(self) -> HasSimulation:
        """Return the run's settings."""


@dataclass(frozen=True)
class Plan:
    """What is simulated and where it goes."""

    settings: SimulationSettings
    size: SizeSettings
    seed: int
    macro: Macro
    out: Path


def simulate_tapes(
    run: HasSettings,
    *,
    size: str,
    out: str,
    seed: int | None = None,
    loans: int | None = None,
    months: int | None = None,
) -> dict[str, Any]:
    """Write the tapes, macro file and truth of a simulated book under the folder ``out``.

    A large book's truth is computed by further processes, which read the program's main module first: a
    script of one's own guards what it does by ``if __name__ == "__main__"``.

    Args:
        run: carries the settings.
        size: name of a size; ``loans`` and ``months`` override its own.
        out: local folder; files of an earlier simulation in it are removed first.
        seed: of every draw, instead of the settings'.
        loans: how many.
        months: of tape.

    Returns:
        Counts of loans, loan-months (lines), files and defaults (entries into 90 days past due).

    Raises:
        InputError: an unknown size, too few loans or months, or a seed below 0.
    """
    started = time.perf_counter()
    settings = run.settings.simulate
    chosen = _chosen(settings, size, loans, months)
    seed = settings.seed if seed is None else seed
    if seed < 0:
        raise InputError(required="--seed of at least 0", found=str(seed), do="give 0 or more")
    macro = realised_macro(settings, chosen.months, seed, chosen.hidden)
    plan = Plan(settings, chosen, seed, macro, Path(out))
    _empty(plan.out)
    _write_macro(plan)
    (plan.out / "truth" / "README.txt").write_text(readme(settings, chosen), "utf-8")
    book = make_book(settings, macro, chosen.loans, chosen.months, seed, chosen.hidden)
    counts = {"loans": len(book), "loan_months": 0, "files": 1, "defaults": 0}
    ids = loan_ids(settings.first_month, book.origination)
    sizes = (settings.truth.sample_loans, min(chosen.curve_loans, settings.truth.sample_loans))
    in_sample, in_curves = (sampled(len(book), n, seed) for n in sizes)
    blocks = list(_blocks(vintages(settings.first_month, book.origination)))
    with on_all_cores(chosen.loans * chosen.months) as each:
        for block, rows in enumerate(progress(blocks, "blocks of loans")):
            samples = in_sample[rows], in_curves[rows]
            for name, count in _write_block(plan, block, book.take(rows), ids[rows], *samples, each).items():
                counts[name] += count
            log.info("simulated %d of %d loans", rows.stop, len(book))
    write_identity(plan.out, settings, chosen, seed)
    seconds = round(time.perf_counter() - started, 2)
    return {**counts, "size": size, "seed": seed, "out": out, "seconds": seconds}


def _chosen(settings: SimulationSettings, size: str, loans: int | None, months: int | None) -> SizeSettings:
    sizes = settings.sizes
    if size not in sizes:
        raise InputError(
            required=f"a size of simulated book: one of {', '.join(sizes)}",
            found=repr(size) + nearest(size, list(sizes)),
            do="name one of them, and give loans and months for another",
        )
    given = {"loans": loans, "months": months}
    chosen = sizes[size].model_copy(update={key: value for key, value in given.items() if value is not None})
    if chosen.loans < 1 or chosen.months < SHORTEST:
        raise InputError(
            required=f"at least 1 loan and {SHORTEST} months",
            found=f"{chosen.loans} loans, {chosen.months} months",
            do="ask for more",
        )
    return chosen


def _empty(out: Path) -> None:
    for name in FOLDERS:
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in (
            "historical_data_*.txt",
            "part-*.parquet",
            "curve-*.parquet",
            "*.tmp",
            "macro.csv",
            "README.txt",
            MANIFEST,
        ):
            for file in folder.glob(pattern):
                file.unlink()


def _write_macro(plan: Plan) -> None:
    path = plan.out / "macro" / "macro.csv"
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("region", "month", "series", "value"))
        rows = macro_rows(plan.macro, plan.settings.first_month)
        writer.writerows((region, month, series, f"{value:.4f}") for region, month, series, value in rows)
    temporary.replace(path)


def _blocks(quarters: Array) -> Iterator[slice]:
    """Yield runs of whole vintages of at most ``BLOCK_LOANS`` loans, or of one vintage larger than that."""
    bounds = [*np.flatnonzero(np.diff(quarters, prepend=quarters[0] - 1)).tolist(), len(quarters)]
    start = 0
    for end, following in zip(bounds[1:], [*bounds[2:], None], strict=True):
        if following is None or following - start > BLOCK_LOANS:
            yield slice(start, end)
            start = end


def _write_block(
    plan: Plan, block: int, loans: Loans, ids: pa.Array, in_sample: Array, in_curves: Array, each: Each
) -> dict[str, int]:
    settings, size, macro = plan.settings, plan.size, plan.macro
    panel = simulate_panel(settings, macro, loans, size.months, size.default_shift, plan.seed, block)
    ltv = mtm_ltv(macro, loans, panel)
    rng = generator(plan.seed, "observed", block)
    seen = observe(settings.tapes, panel, ltv, rng, size.hidden.delinquent_gap)
    files = _write_tapes(plan, loans, ids, panel, seen)
    truth = _truth_block(plan, loans, ids, panel, seen.reported, in_sample, in_curves)
    write_truth(plan.out / "truth", f"{block:05d}", truth, each)
    entered = np.diff((panel.state == ch.DEFAULTED).astype(np.int8), prepend=np.int8(0)) == 1
    return {"loan_months": int(seen.reported.sum()), "files": files + 2, "defaults": int(entered.sum())}


def _write_tapes(plan: Plan, loans: Loans, ids: pa.Array, panel: Panel, seen: Observed) -> int:
    first_month, folder = plan.settings.first_month, plan.out / "tapes"
    quarters = vintages(first_month, loans.origination)
    names = np.unique(quarters).tolist()
    for quarter in names:
        name = f"{quarter // 10}Q{quarter % 10}.txt"
        some = slice(*np.searchsorted(quarters, [quarter, quarter + 1]).tolist())
        columns = origination_columns(first_month, loans.take(some), ids[some])
        write_lines(folder / f"historical_data_{name}", columns)
        rows = slice(*np.searchsorted(panel.loan, [some.start, some.stop]).tolist())
        shown = panel.take(rows), seen.take(rows)
        lines = performance_columns(first_month, loans, ids, *shown, plan.size.months)
        write_lines(folder / f"historical_data_time_{name}", lines)
    return 2 * len(names)


def _truth_block(
    plan: Plan, loans: Loans, ids: pa.Array, panel: Panel, reported: Array, in_sample: Array, in_curves: Array
) -> TruthBlock:
    settings, size = plan.settings, plan.size
    p = settings.hazards
    macro = run_on(settings.macro, plan.macro, plan.seed)
    book = Book(settings, macro, loans, traits(p, loans, size.default_shift), ch.make_chain(p))
    rows = np.flatnonzero(in_sample[panel.loan] | size.full_truth)
    told = panel.take(rows)
    wanted = wanted_rows(told, settings, size, in_sample, in_curves)
    return TruthBlock(book, told, reported[rows], ids, wanted, plan.seed)
