"""The peer of the features benchmark: the delinquency and balance features by DuckDB's window functions.

One statement over the book of ``features_book``. First a narrow window finds the months without a report
(``gaps``): with them a loan's rows are its calendar months without a hole, so that frames and lags count
rows, where frames of a range would search for their bounds. Two wide windows follow, as some features compare
what others found: ``known``, what was last reported of each column, and ``counted``, the rest.

Counts are packed into one integer: one running sum serves them all, and the count of the last months is that
sum less the one of so many months before. Amounts are cents, as integers.

It takes for granted what holds of that book: one report of a loan and month, monthly; terms of every loan,
none with a date of origination; balances that are not negative; at most 1,023 reports of a loan.
"""

import time
from pathlib import Path

import duckdb

STATES = (
    "current",
    "inactive",
    "dpd30",
    "dpd60",
    "dpd90",
    "foreclosure",
    "reo",
)  # by severity; others are exits
SEVERITIES = range(1, len(STATES) - 1)
WINDOWS = (3, 6, 12, 24)
WORST_WINDOWS = (6, 12, 24)
BUCKETS = {30: 1, 60: 2, 90: 3}
BITS = 10  # of a count of reports: of all of them, then of those of each severity or worse
STEP_BITS = 17  # of a count of episodes, of worsenings and of cures

TERMS = """
SELECT
    loan_id, (row_number() OVER ())::INTEGER AS loan,  -- a shorter key than its name
    (original_upb * 100)::BIGINT AS original, (credit_limit * 100)::BIGINT AS first_limit,
    original_rate::DOUBLE / 1200 AS monthly, if(monthly > 0, 1 + monthly, 1) AS growth,
    if(original_term > 0 AND monthly IS NOT NULL, original_term, NULL) AS term, pow(growth, term) AS whole,
    if(growth > 1, original * monthly / (1 - pow(growth, -term)), original / term) AS level_payment,
    round_even(level_payment, 0)::BIGINT AS instalment
FROM read_parquet('{loans}')
"""
GIVEN = """
SELECT
    loan, performance.* EXCLUDE (state), (year(as_of_date) * 12 + month(as_of_date) - 1)::INTEGER AS month,
    try_cast(state AS ENUM {states}) AS live_state, live_state IS NOT NULL AS live
FROM read_parquet('{performance}') AS performance JOIN terms USING (loan_id)
WHERE as_of_date <= DATE '{last_month}'
"""
# From the month after a report, or from a loan's exit itself, to the month before the next report; after the
# last report, for stale_months.
GAPS = """
SELECT
    loan, live_state, default_episode, live, month AS report_month,
    coalesce(following, if(live, least(month + {stale_months}, {last}) + 1, month)) AS until,
    unnest(range(month + live::INTEGER, until))::INTEGER AS gap_month
FROM (SELECT loan, live_state, default_episode, live, month,
        lead(month) OVER (PARTITION BY loan ORDER BY month) AS following FROM given)
WHERE NOT live OR following IS NULL OR following > month + 1
"""
MONTHS = """
SELECT
    loan, month, month AS report_month, true AS reported, true AS in_book, live_state AS state,
    default_episode, months_delinquent, modified, (rate * 100000)::INTEGER AS rate,
    (upb * 100)::BIGINT AS upb, (credit_limit * 100)::BIGINT AS credit_limit,
    (payment * 100)::BIGINT AS payment, (statement * 100)::BIGINT AS statement,
    greatest(enum_code(live_state)::TINYINT - 1, 0)::TINYINT AS severity, 1::BIGINT{levels} AS seen
FROM given WHERE live
UNION ALL BY NAME
SELECT
    loan, gap_month AS month, report_month, false AS reported,
    live AND gap_month <= report_month + {stale_months} AS in_book, live_state AS state, default_episode,
    greatest(enum_code(live_state)::TINYINT - 1, 0)::TINYINT AS severity, 0::BIGINT AS seen
FROM gaps
"""
KNOWN = """
SELECT
    loan, month, report_month, reported, in_book, state, default_episode, payment, statement, severity,
    upb IS NOT NULL AS has_upb,
    lag(state IGNORE NULLS) OVER months AS state_before,
    lag(reported) OVER months AS unbroken,
    lag(upb) OVER months AS upb_before,
    last_value(upb IGNORE NULLS) OVER so_far AS upb,
    last_value(credit_limit IGNORE NULLS) OVER so_far AS credit_limit,
    last_value(rate IGNORE NULLS) OVER so_far AS rate,
    last_value(months_delinquent IGNORE NULLS) OVER so_far AS months_delinquent,
    last_value(modified IGNORE NULLS) OVER so_far AS modified,
    first_value(if(reported, month, NULL) IGNORE NULLS) OVER so_far AS first_month,
    last_value(if(reported AND severity = 0, NULL, month) IGNORE NULLS) OVER so_far AS broken,
    last_value(if(reported AND severity > 0, month, NULL) IGNORE NULLS) OVER so_far AS late,
    (sum(seen) OVER so_far)::BIGINT AS seen
FROM months
WINDOW
    months AS (PARTITION BY loan ORDER BY month),
    so_far AS (months ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
"""
VALUED = f"""
SELECT
    loan, month, report_month, reported, in_book, state, state_before, default_episode, payment, statement,
    upb, months_delinquent, modified, first_month, late, seen,
    reported AND state IS DISTINCT FROM state_before AS changed,
    greatest(enum_code(state_before)::TINYINT - 1, 0)::TINYINT AS severity_before,  -- 0 where there is none
    reported AND severity > 0 AND severity_before = 0 AS falls,
    reported AND state_before IS NOT NULL AND severity > severity_before AS worsens,
    reported AND severity = 0 AND severity_before > 0 AS cures,
    falls::BIGINT | (worsens::BIGINT << {STEP_BITS}) | (cures::BIGINT << {2 * STEP_BITS}) AS steps,
    if(reported AND severity = 0, month - coalesce(broken, first_month - 1), 0)::SMALLINT AS run,
    coalesce(credit_limit, first_limit) AS last_limit,
    if(in_book, upb, NULL) AS book_upb, if(in_book, last_limit, NULL) AS book_limit,
    book_upb / nullif(book_limit, 0) AS used,
    if(payment IS NULL, 0, coalesce(instalment, 0)) AS due, if(due > payment, due - payment, 0) AS short,
    instalment - upb_before * rate // 120000000 AS principal,
    if(unbroken AND reported AND state = 'current' AND state_before = 'current' AND has_upb
        AND principal IS NOT NULL,
        greatest(upb_before - upb - greatest(principal, 0), 0), NULL) AS curtailed,
    least(month - first_month, term) AS paid,
    original * if(growth > 1, (whole - pow(growth, paid)) / (whole - 1), 1 - paid / term) AS scheduled,
    upb / if(scheduled > 0, scheduled, NULL) AS upb_to_schedule
FROM known JOIN terms USING (loan)
"""
COUNTED = f"""
SELECT
    loan, month, report_month, reported, in_book, state, default_episode, months_delinquent, modified,
    first_month, late, seen, upb, used, last_limit, upb_to_schedule, payment,
    last_value(if(changed, state_before, NULL) IGNORE NULLS) OVER so_far AS previous_state,
    last_value(if(changed, month, NULL) IGNORE NULLS) OVER so_far AS since,
    {", ".join(f"seen - lag(seen, {months}, 0) OVER months AS seen_{months}m" for months in WINDOWS)},
    (sum(steps) OVER so_far)::BIGINT AS steps,
    max(run) OVER so_far AS longest,
    sum(curtailed::DOUBLE) OVER year AS curtailed,
    due + lag(due, 1, 0) OVER months + lag(due, 2, 0) OVER months AS due,
    short + lag(short, 1, 0) OVER months + lag(short, 2, 0) OVER months AS short,
    lag(statement) OVER months AS statement,
    lag(book_upb, 3) OVER months AS upb_3m,
    lag(book_upb, 12) OVER months AS upb_12m,
    lag(book_limit, 12) OVER months AS limit_12m,
    lag(used, 3) OVER months AS used_3m,
    max(used) OVER year AS peak
FROM valued
WINDOW
    months AS (PARTITION BY loan ORDER BY month),
    so_far AS (months ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
    year AS (months ROWS BETWEEN 11 PRECEDING AND CURRENT ROW)
"""
PARTS = {
    "terms": TERMS, "given": GIVEN, "gaps": GAPS, "months": MONTHS, "known": KNOWN, "valued": VALUED,
    "counted": COUNTED,
}  # fmt: skip


def sql(performance: str, loans: str, last_month: str, stale_months: int = 3) -> str:
    """Return the statement: ``loan_id``, ``as_of_date``, ``reported`` and every feature of the two themes.

    Args:
        performance: glob of its Parquet files.
        loans: Parquet file of the terms.
        last_month: last day of the last month to return, as ``2019-02-28``.
        stale_months: months without a report after which a loan leaves the book.
    """
    year, month, _ = map(int, last_month.split("-"))
    values = {
        "performance": performance, "loans": loans, "last_month": last_month, "last": year * 12 + month - 1,
        "stale_months": stale_months, "states": STATES,
        "levels": "".join(f" | ((severity >= {k})::BIGINT << {k * BITS})" for k in SEVERITIES),
    }  # fmt: skip
    day = {"as_of_date": "last_day(make_date(month // 12, month % 12 + 1, 1))"}
    columns = {"loan_id": "loan_id", **day, "reported": "reported", **delinquency(), **balance()}
    parts = ", ".join(f"{name} AS ({text.format(**values)})" for name, text in PARTS.items())
    selected = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    return f"WITH {parts} SELECT {selected} FROM counted JOIN terms USING (loan) WHERE in_book"


def delinquency() -> dict[str, str]:
    """Return the columns of the theme and their expressions, in the catalogue's order."""
    return {
        "state": "state::VARCHAR",
        "months_delinquent": "months_delinquent",
        **{f"months_{days}plus_{k}m": f"if({_seen(k)} > 0, {_seen(k, severity)}, NULL)"
           for k in WINDOWS for days, severity in BUCKETS.items()},
        **{f"worst_state_{k}m": _worst(k) for k in WORST_WINDOWS},
        "months_since_30plus": "month - late",
        **{f"ever_{days}plus": f"({_field('seen', severity)} > 0)::INTEGER"
           for days, severity in BUCKETS.items()},
        "episodes_30plus": _field("steps", 0, STEP_BITS),
        "worsenings": _field("steps", 1, STEP_BITS),
        "cures_30plus": _field("steps", 2, STEP_BITS),
        "longest_run_current": "longest::INTEGER",
        "default_episodes": "default_episode",
        "months_in_state": "month - since + 1",
        "previous_state": "previous_state::VARCHAR",
        **{f"months_observed_{k}m": _seen(k) for k in WINDOWS},
        "observed_since_months": "month - first_month",
        "months_since_report": "month - report_month",
        "modified": "modified::INTEGER",
    }  # fmt: skip


def balance() -> dict[str, str]:
    """Return the columns of the theme and their expressions, in the catalogue's order."""
    return {
        "upb": "(upb * 0.01)::DECIMAL(16, 2)",
        "upb_to_original": "upb / nullif(original, 0)",
        "upb_to_schedule": "upb_to_schedule",
        "upb_change_3m": "(upb - upb_3m) / nullif(upb_3m, 0)",
        "upb_change_12m": "(upb - upb_12m) / nullif(upb_12m, 0)",
        "curtailment_12m": "curtailed / nullif(original, 0)",
        "shortfall_3m": "short / nullif(due, 0)",
        "utilisation": "used",
        "utilisation_change_3m": "used - used_3m",
        "utilisation_peak_12m": "peak",
        "payment_to_statement": "payment / if(statement > 0, statement, NULL)",
        "limit_change_12m": "(last_limit - limit_12m) / nullif(limit_12m, 0)",
    }


def _field(packed: str, position: int, bits: int = BITS) -> str:
    return f"({packed} >> {position * bits} & {2**bits - 1})::INTEGER"


def _seen(months: int, severity: int = 0) -> str:
    """Return in how many of the last months the loan was reported, at that severity or worse."""
    return _field(f"seen_{months}m", severity)


def _worst(months: int) -> str:
    levels = " + ".join(f"({_seen(months, severity)} > 0)::INTEGER" for severity in SEVERITIES)
    return f"if({_seen(months)} > 0, {levels}, NULL)"


def write(performance: str, loans: str, out: Path, threads: int, last_month: str | None = None) -> float:
    """Write the features into a new folder, as one Parquet file; return the seconds that it took.

    Without ``last_month`` the last one of ``performance`` is the last to be written.
    """
    started = time.perf_counter()
    out.mkdir(parents=True)
    with duckdb.connect(config={"threads": threads, "preserve_insertion_order": False}) as connection:
        latest = f"SELECT max(as_of_date)::VARCHAR FROM read_parquet('{performance}')"
        (found,) = connection.execute(latest).fetchone() or ("",)
        query = sql(performance, loans, last_month or found)
        connection.execute(f"COPY ({query}) TO '{out / 'features.parquet'}'")
    return time.perf_counter() - started
