"""Baselines: models that a deep one must beat, a file each."""
