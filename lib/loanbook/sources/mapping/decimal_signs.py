"""Numbers as a tape writes them: by which signs, and with how many decimals."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.sources.mapping.file_spec import FieldType

SPACES = "\\u00a0\\u202f"  # no-break spaces, as good as a space between thousands
OF_A_PROGRAM = "(?i)[0-9.][fd]$|0x"  # 4.5f and 0x1p3 are numbers to Java alone
SIGNS = {" ": f"[ {SPACES}]", "'": "['\\u2019]"}


def number_text(text: Column, field: FieldType) -> Column:
    """Return a number's text as Spark reads it; null where its form is not the one that the mapping declares.

    ``1.234,50`` becomes ``1234.50`` for a field with ``decimal: ","`` and ``thousands: "."``.
    """
    if field.decimal == "." and field.thousands is None:
        return F.when(~text.rlike(OF_A_PROGRAM), text)
    decimal = re.escape(field.decimal)
    whole, plain = "[0-9]+", text
    if field.thousands is not None:
        sign = SIGNS.get(field.thousands, re.escape(field.thousands))
        whole = f"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+|[0-9]+)"
        plain = F.regexp_replace(text, sign, "")
    form = f"^[+-]?{whole}(?:{decimal}[0-9]*)?(?:[eE][+-]?[0-9]+)?$"
    return F.when(text.rlike(form), F.translate(plain, field.decimal, "."))


def too_many_decimals(text: Column, field: FieldType) -> Column:
    """Return whether a text of money or an int has more decimals than the mapping grants.

    ``1.250`` may be a thousand and more; what has an exponent is too long where rounding would change it.
    """
    most, sign = field.most_decimals, F.lit(field.decimal)
    place = F.instr(text, field.decimal)
    is_long = (place > 0) & (F.length(text) - place > most)
    digits = text.rlike(f"{re.escape(field.decimal)}[0-9]{{{most + 1},}}$")
    has_exponent = F.contains(text, F.lit("e")) | F.contains(text, F.lit("E"))
    number = F.replace(text, sign, F.lit("."))
    rounds = number.try_cast("decimal(38,15)") != F.round(number.try_cast("decimal(38,15)"), min(most, 15))
    return F.coalesce(F.when(has_exponent, rounds).otherwise(is_long & digits), F.lit(False))
