"""Gates on the counts of a delivery."""

import pytest

from loanbook.errors import GateRefused, InputError, LoanbookError
from loanbook.quality.reconcile import Tally, assert_few_rejected, assert_layout, assert_reconciled


def test_a_lost_line_is_a_fault():
    assert_reconciled("d", 4, Tally(published=4, distinct_lines=4))
    with pytest.raises(LoanbookError, match="5 lines read, but 4"):
        assert_reconciled("d", 5, Tally(published=4, distinct_lines=4))


def test_too_many_rejected_lines_are_refused_with_their_reasons():
    deliveries = {"good": Tally(published=10), "bad": Tally(published=7, quarantined=3)}
    assert_few_rejected(deliveries, 0.3, lambda _: [])
    with pytest.raises(GateRefused, match=r"3 of 10 in bad; most often missing_state \(3\)") as refused:
        assert_few_rejected(deliveries, 0.2, lambda _: [("missing_state", 3)])
    assert refused.value.exit_code == 3


def test_another_layout_throughout_is_bad_input_but_some_lines_are_not():
    assert_layout("f", "32 or 31", "|", Tally(published=1, quarantined=9, wrong_layout=9))
    with pytest.raises(InputError, match=r"32 or 31 fields .* in f\nfound:\s+wrong layout: up to 30 fields"):
        assert_layout("f", "32 or 31", "|", Tally(quarantined=9, wrong_layout=9, found_fields=30))
