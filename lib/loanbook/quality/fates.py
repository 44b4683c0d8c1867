"""What becomes of each line of a delivery, one of these; known with and without Spark."""

FATES = ("published", "quarantined", "superseded", "set_aside")
ENDS = (*FATES, "erased")  # what may become of it later: rows of a loan that was erased from every table


def upb_of(fate: str) -> str:
    """Return the column of ``deliveries`` with the balance of the rows of a fate.

    >>> upb_of("published"), upb_of("erased")
    ('upb', 'upb_erased')
    """
    return "upb" if fate == "published" else f"upb_{fate}"
