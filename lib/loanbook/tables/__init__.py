"""The published tables, one module each: columns with units, key, constraints, partitions."""
