"""A tape that has arrived: its dialect, known layouts, fields and keys, without JVM or warehouse."""
