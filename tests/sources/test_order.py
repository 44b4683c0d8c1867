"""Which files of a delivery come too late."""

from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.sources.publishing.order import by_age, parse_day
from loanbook.sources.publishing.replaced import Replaced

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


def stored(
    delivery: str, day: date | None, published: int = 9, kind: str = "performance", scope: str = "full"
) -> dict[str, Any]:
    return {
        "delivery": delivery, "delivered_at": day, "slice": "q", "kind": kind, "published": published,
        "scope": scope,
    }  # fmt: skip


def names(files: list[Any]) -> list[str]:
    return [file.name for file in files]


@pytest.mark.parametrize(
    ("files", "rows", "scope", "late"),
    [
        ([File("a", JAN)], [], "full", []),
        ([File("a", JAN)], [stored("b", FEB)], "full", ["a"]),
        ([File("a", JAN)], [stored("b", FEB)], "delta", ["a"]),
        ([File("a", FEB)], [stored("b", JAN), stored("c", MAR, scope="delta")], "delta", []),
        ([File("a", FEB)], [stored("b", JAN), stored("c", MAR, scope="delta")], "full", []),
        (  # a slice is replaced whole or not at all
            [File("a", JAN, kind="loans"), File("b", JAN)],
            [stored("a", JAN, kind="loans"), stored("c", FEB)],
            "full",
            ["a", "b"],
        ),
        ([File("a", JAN, kind="loans"), File("b", FEB)], [stored("c", FEB)], "full", []),
        ([File("a", JAN)], [stored("b", FEB, published=0)], "full", []),
        ([File("a", JAN)], [stored("b", FEB, kind="loans")], "full", ["a"]),
        ([File("b", FEB)], [stored("b", FEB)], "full", []),
        ([File("a", JAN), File("b", FEB), File("c", JAN, slice="r")], [], "full", ["a"]),
        ([File("a", JAN)], [stored("a", JAN), stored("b", FEB)], "full", ["a"]),  # again, after a newer one
        ([File("a", None)], [stored("b", None)], "full", []),
        ([File("a", JAN)], [stored("a", FEB)], "full", ["a"]),  # again, with an earlier day
    ],
)
def test_files_are_late_after_a_newer_full_delivery_of_their_slice(files, rows, scope, late):
    fresh, found = by_age(files, rows, scope)
    assert names(found) == late
    assert sorted(names(fresh) + names(found)) == sorted(names(files))


def test_an_undated_file_after_a_dated_one_is_refused():
    for earlier in ("b", "a"):  # the same file again would lose its day, and an older one could replace it
        with pytest.raises(InputError, match="--delivered-at"):
            by_age([File("a", None)], [stored(earlier, MAR)], "full")  # type: ignore[list-item]


def test_a_full_delivery_keeps_the_deltas_that_are_not_older():
    rows = [
        stored("old", JAN, scope="delta"),
        stored("new", MAR, scope="delta"),
        stored("undated", None, scope="delta"),
        stored("whole", JAN),
    ]
    replaced = Replaced.by("s", [File("a", FEB)], "full", rows)  # type: ignore[list-item]
    assert replaced.kept == ("new",)
    assert [row["delivery"] for row in rows if replaced.holds(row)] == ["old", "undated", "whole"]
    assert replaced.sql() == "source = 's' AND slice IN ('q') AND NOT delivery IN ('new')"


@pytest.mark.parametrize("text", ["2099-01-01", "1800-01-01", "tomorrow"])
def test_a_day_of_delivery_that_cannot_be_is_refused(text):
    with pytest.raises(InputError, match=text):
        parse_day(text)
