"""Writes that a commit of another program made fail: tried again, as the rows to write are still right.

OPTIMIZE, say, moves rows to other files between our reading of the log and our commit.
"""

import logging
from collections.abc import Callable

import delta.exceptions
import delta.exceptions.captured  # on import it makes py4j raise the classes below

log = logging.getLogger(__name__)

ATTEMPTS = 3
CONFLICTS = (
    delta.exceptions.ConcurrentAppendException,
    delta.exceptions.ConcurrentDeleteDeleteException,
    delta.exceptions.ConcurrentDeleteReadException,
    delta.exceptions.ConcurrentTransactionException,
    delta.exceptions.ConcurrentWriteException,
    delta.exceptions.DeltaConcurrentModificationException,
    delta.exceptions.MetadataChangedException,
    delta.exceptions.ProtocolChangedException,
)


def committed(write: Callable[[], int]) -> int:
    """Return the version that ``write`` commits; tried again where another commit was quicker.

    At most ``ATTEMPTS`` times in all; then the conflict is raised.

    >>> committed(lambda: 7)
    7
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return write()
        except CONFLICTS as conflict:
            if attempt == ATTEMPTS:
                raise
            log.warning("another program was first (%s); again", type(conflict).__name__)
    raise AssertionError("the last attempt returns or raises")
