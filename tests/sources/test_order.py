"""Which files of a delivery come too late."""

from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.sources.order import by_age

JAN, FEB, MAR = date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31)


@dataclass(frozen=True)
class File:
    """What of a landed file its age depends on."""

    name: str
    delivered_at: date | None
    slice: str = "q"
    kind: str = "performance"

    @property
    def delivery(self) -> str:
        return self.name

    @property
    def spec(self) -> Any:
        return SimpleNamespace(what=self.kind)


def stored(delivery: str, day: date | None, published: int = 9, kind: str = "performance") -> dict[str, Any]:
    return {"delivery": delivery, "delivered_at": day, "slice": "q", "kind": kind, "published": published}


def names(files: list[Any]) -> list[str]:
    return [file.name for file in files]


@pytest.mark.parametrize(
    ("files", "rows", "scope", "late"),
    [
        ([File("a", JAN)], [], "full", []),
        ([File("a", JAN)], [stored("b", FEB)], "full", ["a"]),
        ([File("a", JAN)], [stored("b", FEB)], "delta", []),
        ([File("a", JAN)], [stored("b", FEB, published=0)], "full", []),
        ([File("a", JAN)], [stored("b", FEB, kind="loans")], "full", []),
        ([File("b", FEB)], [stored("b", FEB)], "full", []),
        ([File("a", JAN), File("b", FEB), File("c", JAN, slice="r")], [], "full", ["a"]),
        ([File("a", JAN)], [stored("a", JAN), stored("b", FEB)], "full", ["a"]),  # again, after a newer one
        ([File("a", None)], [stored("b", None)], "full", []),
    ],
)
def test_a_file_is_late_after_a_newer_one_of_its_kind_and_slice(files, rows, scope, late):
    fresh, found = by_age(files, rows, scope)
    assert names(found) == late
    assert sorted(names(fresh) + names(found)) == sorted(names(files))


def test_an_undated_file_after_a_dated_one_is_refused():
    with pytest.raises(InputError, match="--delivered-at"):
        by_age([File("a", None)], [stored("b", MAR)], "full")  # type: ignore[list-item]
