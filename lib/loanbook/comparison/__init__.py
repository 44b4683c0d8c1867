"""Architectures and baselines held against each other on the same rows."""
