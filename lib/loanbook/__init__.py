"""Calibrated default probabilities for every loan of a book and every reporting month, in Delta tables."""
