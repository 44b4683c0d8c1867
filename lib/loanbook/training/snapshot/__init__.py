"""The snapshot: the rows that a training run sees."""
