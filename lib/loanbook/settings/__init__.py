"""Settings: one module for each section, plain data that every job is told."""
