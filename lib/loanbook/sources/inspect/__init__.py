"""What a file that has arrived holds, before anything is configured: the command ``inspect-tape``."""
