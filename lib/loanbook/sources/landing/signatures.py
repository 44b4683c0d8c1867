"""What the first bytes of a file say: its encoding, or that it is no text."""

import codecs

from loanbook.errors import InputError

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8 with a byte-order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32, by its byte-order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16 (low byte first), by its byte-order mark"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16 (high byte first), by its byte-order mark"),
)

EXPORT = "export the data as CSV or Parquet"
UNPACK = "unpack it"
SIGNATURES = {
    b"\x1f\x8b": ("gzip data under a name without .gz", "give it the name .gz, or unpack it"),
    b"PK\x03\x04": (
        "a zip archive under another name (a spreadsheet .xlsx is one too)",
        "give an archive the name .zip; export a spreadsheet as CSV",
    ),
    b"PAR1": ("Parquet under a name without .parquet", "give it the name .parquet"),
    b"%PDF": ("a PDF document", EXPORT),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet or document (.xls, .doc)", EXPORT),
    b"SQLite format 3": ("a SQLite database", EXPORT),
    b"\x28\xb5\x2f\xfd": ("zstandard data", UNPACK),
    b"BZh": ("bzip2 data", UNPACK),
    b"7z\xbc\xaf": ("a 7z archive", UNPACK),
    b"\xfd7zXZ": ("xz data", UNPACK),
}


def refuse_signature(name: str, start: bytes) -> None:
    r"""Refuse data whose first bytes are those of another kind of file.

    Raises:
        InputError: names the kind.

    >>> refuse_signature("feed.csv", b"id|month\n")
    >>> try:
    ...     refuse_signature("feed.csv", b"PAR1\x15")
    ... except InputError as error:
    ...     print(error.do)
    give it the name .parquet
    """
    for signature, (what, do) in SIGNATURES.items():
        if start.startswith(signature):
            raise InputError(required=f"delimited text in {name}", found=what, do=do)
