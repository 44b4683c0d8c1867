"""A feature whose values change must raise its revision: a fixed book's values are held against a record.

After a change that is meant, raise ``revision`` in the feature's entry and write the record again with
``python -m tests.features.test_revisions``.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from loanbook.features.catalogue.registry import FEATURES
from tests.features.books import BookLoan, counts_of, loans_of, performance_of, plan_of
from tests.features.partitions import features_of, partition_of
from tests.features.test_engine import BOOK, LAST, MACRO

RECORD = Path(__file__).with_name("revisions.json")
TERMS = {
    "dti": 31.0, "cltv": 85.0, "mi_percent": 12.0, "units": 1, "borrowers": 2, "first_time_buyer": "Y",
    "occupancy": "primary", "property_type": "condo", "channel": "retail", "zip3": "941",
}  # fmt: skip


def found() -> dict[str, list[Any]]:
    """Return revision and digest of each feature, its doubles to nine digits."""
    book = [replace(loan, terms=TERMS) if loan.loan_id == "a" else loan for loan in BOOK]
    book.append(BookLoan("e", 2, ("inactive", "current", "dpd30", "foreclosure", "reo", "liquidated")))
    performance, loans = performance_of(book), loans_of(book)
    plan = plan_of(LAST, MACRO, counts=counts_of(performance, loans))
    rows = features_of(partition_of(performance, loans, plan))
    return {item.name: [item.revision, _digest([row[item.name] for row in rows])] for item in FEATURES}


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(
        json.dumps([_rounded(value) for value in values], default=str).encode()
    ).hexdigest()[:12]


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return f"{value:.9g}" if isinstance(value, float) else value


def test_a_feature_with_other_values_has_another_revision() -> None:
    recorded, now = json.loads(RECORD.read_text("utf-8")), found()
    silent = [name for name, (revision, digest) in now.items() if recorded.get(name, [0])[0] == revision
              and recorded[name][1] != digest]  # fmt: skip
    assert silent == [], "raise the revision of these features and write the record again"
    assert {name: revision for name, (revision, _) in now.items()} == {n: r for n, (r, _) in recorded.items()}
    assert len({digest for _, digest in now.values()}) > 60  # the book lets them vary


if __name__ == "__main__":
    RECORD.write_text(json.dumps(found(), indent=1) + "\n", "utf-8")
