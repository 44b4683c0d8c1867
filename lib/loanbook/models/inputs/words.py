"""What a word of a text is."""

from pyspark.sql import Column
from pyspark.sql import functions as F

WORD = r"[\p{L}\p{N}]{2,}"


def words_expr(text: Column) -> Column:
    """Return the words of a text: runs of at least two letters or digits, in lower case."""
    return F.regexp_extract_all(F.lower(text), F.lit(WORD), F.lit(0))
