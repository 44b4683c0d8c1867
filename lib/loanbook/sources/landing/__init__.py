"""From delivered files to numbered lines."""
