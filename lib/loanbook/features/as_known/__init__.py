"""The versions of a month that were known when it was first reported."""
