"""Checks as Column expressions, quarantine and reconciliation."""
