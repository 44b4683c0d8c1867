"""Gates on the counts of a delivery."""

from dataclasses import replace
from decimal import Decimal

import pytest

from loanbook.errors import GateRefused, InputError, LoanbookError
from loanbook.quality.delivery_gates import assert_few_rejected, assert_few_repeated, assert_layout
from loanbook.quality.tally import Tally, assert_reconciled


def test_a_lost_line_is_a_fault():
    assert_reconciled("d", 4, Tally(published=4, distinct_lines=4))
    with pytest.raises(LoanbookError, match="5 lines read, but 4"):
        assert_reconciled("d", 5, Tally(published=4, distinct_lines=4))


def test_a_lost_cent_is_a_fault():
    read = Tally(
        published=1, set_aside=1, distinct_lines=2,
        upb_read=Decimal("2.00"), upb=Decimal("1.50"), upb_set_aside=Decimal("0.50"),
    )  # fmt: skip
    assert_reconciled("d", 2, read)
    with pytest.raises(LoanbookError, match=r"UPB 2\.00 read, but 1\.99"):
        assert_reconciled("d", 2, replace(read, upb_set_aside=Decimal("0.49")))


def test_many_rows_of_one_key_are_refused():
    assert_few_repeated({"d": Tally(published=8, superseded=2, repeated=2)}, 0.2)
    with pytest.raises(GateRefused, match="3 of 10 in d"):
        assert_few_repeated({"d": Tally(published=7, superseded=3, repeated=3)}, 0.2)


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
