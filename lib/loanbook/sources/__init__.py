"""A loan tape in, canonical loans and performance out."""
