"""What becomes of each line of a delivery, one of these; known with and without Spark."""

FATES = ("published", "quarantined", "superseded", "set_aside")
ENDS = (*FATES, "erased")  # what may become of it later: rows of a loan that was erased from every table
