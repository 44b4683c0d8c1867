"""Commits that fail because another program was quicker are tried again, a few times."""

import pytest
from delta.exceptions import ConcurrentAppendException

from loanbook.warehouse.conflicts import ATTEMPTS, committed


@pytest.mark.parametrize("failures", [0, ATTEMPTS - 1])
def test_a_commit_is_tried_again(failures: int) -> None:
    calls: list[int] = []

    def write() -> int:
        calls.append(1)
        if len(calls) <= failures:
            raise ConcurrentAppendException("OPTIMIZE")
        return 7

    assert committed(write) == 7
    assert len(calls) == failures + 1


def test_a_conflict_that_stays_is_raised() -> None:
    def write() -> int:
        raise ConcurrentAppendException("OPTIMIZE")

    with pytest.raises(ConcurrentAppendException):
        committed(write)
