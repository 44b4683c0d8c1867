"""Scoring the book: a model over a month's features, and the writer."""
