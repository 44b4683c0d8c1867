"""Files in folders and archives that are no part of a delivery: what systems and programs leave beside it."""

import re
from collections.abc import Sequence

LEFTOVER = re.compile(
    r"\..*|__MACOSX|_(?:SUCCESS|temporary|committed_.*|started_.*|metadata|common_metadata)"
    r"|(?i:Thumbs\.db|desktop\.ini|~\$.*|.*~|#.*#"
    r"|.*\.(?:crc|part|partial|filepart|crdownload|download|tmp|temp|swp|lock))"
)


def is_leftover(parts: Sequence[str]) -> bool:
    """Return whether a file is one, by the names of its folders, below what was given, and its own.

    >>> is_leftover(["2024", "loans.csv"]), is_leftover(["__MACOSX", "._loans.csv"])
    (False, True)
    >>> [is_leftover([name]) for name in ("~$loans.xlsx", "loans.csv.part", ".loans.csv.crc", "_SUCCESS")]
    [True, True, True, True]
    """
    return any(LEFTOVER.fullmatch(part) for part in parts)
