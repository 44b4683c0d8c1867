"""Every feature, a module for each theme."""
