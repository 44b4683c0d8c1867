"""Asking the published tables in SQL, with Spark and without a JVM."""
