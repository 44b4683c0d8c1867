"""Scoring the book: the pandas UDF, the writer and the SQL views."""
