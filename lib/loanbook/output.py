"""What a command says on stdout: reports, answers and, last, its result."""

import os
import sys


def say(text: str) -> None:
    """Write text to stdout at once; a reader that has seen enough and left, such as head, is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
