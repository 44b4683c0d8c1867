"""Spark sessions and Delta tables, and the rules under which runs share them."""
