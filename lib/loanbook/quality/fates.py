"""What becomes of each line of a delivery: exactly one of four fates.

Say that a loan exits in January 2020, and that one file of a monthly tape brings

    line  loan  month    state    fate         because
    1     A     2019-12  dpd30    superseded   line 2 has the same loan and month, and comes later
    2     A     2019-12  current  published
    3     A     2020-13  current  quarantined  there is no such month
    4     A     2020-01  prepaid  published
    5     A     2020-02  current  set_aside    the loan has left

``quarantined`` lines are kept as they were read, with every reason, and can be mended and replayed. Lines
``superseded`` and ``set_aside`` are sound, and counted, but belong to no published loan-month. Every ingest
checks that the four add up to the lines read (``tally.assert_reconciled``).
"""

FATES = ("published", "quarantined", "superseded", "set_aside")
ENDS = (*FATES, "erased")  # what may become of it later: rows of a loan that was erased from every table


def upb_of(fate: str) -> str:
    """Return the column of ``deliveries`` with the balance of the rows of a fate.

    >>> upb_of("published"), upb_of("erased")
    ('upb', 'upb_erased')
    """
    return "upb" if fate == "published" else f"upb_{fate}"
