"""What becomes of each line of a delivery, one of these; known with and without Spark."""

FATES = ("published", "quarantined", "superseded", "set_aside")
