"""Calibrated default probabilities for every loan of a book and every reporting month, in Delta tables."""

__version__ = "0.1.0"
