"""Fitting a network: workers, the loop, checkpoints."""
