"""One kind of file of a tape: its name, its dialect, its fields, and the rows that a line makes."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from loanbook.settings.section import Section
from loanbook.sources.mapping.expressions import Expression


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


def _encoding(name: str) -> str:
    try:
        b"?".decode(name)
    except LookupError as error:
        raise ValueError("not the name of an encoding, such as utf-8, latin-1, cp1252 or utf-16") from error
    except UnicodeError:
        return name  # an encoding of wide characters, of which one byte is none
    return name


def _date_format(form: str) -> str:
    rest = form.replace("yyyy", "", 1).replace("MM", "", 1).replace("dd", "", 1)
    if "yyyy" not in form or "MM" not in form or re.search(r"[A-Za-z]", rest):
        raise ValueError("yyyy and MM are required once, dd may be there, no other letter: MM/dd/yyyy")
    return form


def _one_group(pattern: str) -> str:
    if re.compile(pattern).groups != 1:
        raise ValueError("one group (...) is required, around what it is to find")
    return pattern


def _as_written(value: Any) -> Any:
    """Return a sentinel that YAML took for a number or a day as it is written in the mapping."""
    return str(value) if isinstance(value, int | date) and not isinstance(value, bool) else value


OneGroup = Annotated[str, AfterValidator(_pattern), AfterValidator(_one_group)]
Encoding = Annotated[str, AfterValidator(_encoding)]


class FieldType(Section):
    """How one field's text becomes a value; a text that does not is rejected, a sentinel is missing."""

    type: Literal["text", "int", "double", "money", "date"] = Field(
        "text", description="what the field becomes; 'field: int' is short for 'field: {type: int}'"
    )
    format: Annotated[str, AfterValidator(_date_format)] = Field(
        "yyyy-MM-dd", description="of a date: yyyy, MM, dd in fixed places; without dd, day 1"
    )
    missing: tuple[Annotated[str, BeforeValidator(_as_written)], ...] = Field(
        (), description="texts that mean missing; blank always does"
    )
    decimal: Literal[".", ","] = Field(".", description="of a number: the sign before its decimals")
    thousands: Literal[".", ",", " ", "'"] | None = Field(
        None, description="of a number: the sign between groups of three digits, which may be there or not"
    )
    decimals: int | None = Field(
        None,
        ge=0,
        description="of money and int: the most digits after the decimal sign, 2 unless given; a text with "
        "more is rejected, as it may mean thousands, and money is rounded to 2",
    )
    position: int | None = Field(
        None, ge=1, description="place of the column in the file, where its header has the name twice"
    )
    column: str | None = Field(
        None, description='what the header calls it, where that is another name, or none: ""'
    )
    pad: int | None = Field(None, ge=1, description="of a code: zeros go before it up to this length")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, content: Any) -> Any:
        return {"type": content} if isinstance(content, str) else content

    @model_validator(mode="after")
    def _form_of_a_number(self) -> Self:
        is_number = self.type in ("int", "double", "money")
        if not is_number and (self.decimal != "." or self.thousands is not None):
            raise ValueError("'decimal' and 'thousands' are of a number: int, double or money")
        if self.decimals is not None and self.type not in ("int", "money"):
            raise ValueError("'decimals' is of money or an int; a double may have any number of them")
        if self.thousands == self.decimal:
            raise ValueError(
                f"'thousands' and 'decimal' are both {self.decimal!r}: of 1.234,56 they are '.' and ','"
            )
        return self

    def in_header(self, name: str) -> str:
        """Return what the header calls the field of this name.

        >>> FieldType(type="int", column="Credit Score").in_header("score"), FieldType().in_header("score")
        ('Credit Score', 'score')
        """
        return name if self.column is None else self.column

    @property
    def most_decimals(self) -> int:
        """Return the most digits after the decimal sign that a text of money or an int may have."""
        return 2 if self.decimals is None else self.decimals


class FileSpec(Section):
    """One kind of file of the tape: its name, dialect and fields in their order (or by header)."""

    kind: Literal["loans", "performance", "macro", "lookup"] = Field(
        description="what its lines are: terms, months, series, or fields joined to another file's lines"
    )
    name: str | None = Field(
        None, pattern=r"^[a-z][a-z0-9_]*$", description="of a lookup: the struct that its fields become"
    )
    key: Expression | None = Field(
        None, description="of a lookup: what tells its lines apart, by which they are found"
    )
    joins: dict[str, Expression] = Field(
        default_factory=dict, description="by name of a lookup: what equals its key, over this file's lines"
    )
    pattern: Pattern = Field(description="of the whole file name, without .gz")
    delimiter: str = Field(",", min_length=1, description="what stands between two fields")
    quote: str | None = Field(
        None, min_length=1, max_length=1, description="sign around a field that may hold the delimiter"
    )
    header: bool = Field(
        False, description="whether the first line names the columns; without it fields go by their order"
    )
    encoding: Encoding = Field("utf-8-sig", description="of the text, such as utf-8, latin-1 or utf-16")
    unended_last_line: Literal["flag", "reject"] = Field(
        "flag", description="what follows where the last line has no end, and so may have been cut"
    )
    slice: OneGroup | None = Field(
        None, description="its one group in the file name is the slice; else 'all'"
    )
    delivered_at: OneGroup | None = Field(
        None, description="its one group in the file name is the day, YYYYMMDD"
    )
    fields: dict[str, FieldType] = Field(default_factory=dict, description="name to type, in their order")
    layouts: tuple[dict[str, FieldType], ...] = Field(
        (), description="instead of fields: several layouts; a file has the one that most of its lines fit"
    )
    rows: Expression | None = Field(
        None, description="an array over the fields: each element makes a row, in which it is the field 'row'"
    )

    @model_validator(mode="after")
    def _one_meaning_a_field(self) -> Self:
        if bool(self.fields) == bool(self.layouts) or not all(self.field_sets):
            raise ValueError("either 'fields' or 'layouts' is required, with at least one field")
        if self.quote is not None and (len(self.delimiter) > 1 or self.quote == self.delimiter):
            raise ValueError("with 'quote' the delimiter is one other sign")
        folded = Counter(name.lower() for name in self.all_fields)
        if alike := [name for name in self.all_fields if folded[name.lower()] > 1]:
            raise ValueError(
                f"fields that differ in case alone, which no expression tells: {', '.join(alike)}"
            )
        for fields in self.field_sets:
            if differ := sorted(name for name in fields if fields[name] != self.all_fields[name]):
                raise ValueError(f"fields of two types in two layouts: {', '.join(differ)}")
        return self

    @model_validator(mode="after")
    def _lookup_is_named(self) -> Self:
        is_lookup = self.kind == "lookup"
        if (self.name is not None, self.key is not None) != (is_lookup, is_lookup):
            raise ValueError("'name' and 'key' are required of a lookup, and of no other kind of file")
        if is_lookup and (self.joins or self.rows):
            raise ValueError("a lookup has neither 'joins' nor 'rows'")
        if self.name in ("loans", "performance", "macro"):
            raise ValueError(f"a lookup needs a name of its own, not the kind {self.name!r}")
        if fields := sorted(set(self.joins) & set(self.all_fields)):
            raise ValueError(f"lookups with the names of fields of the file: {', '.join(fields)}")
        return self

    @property
    def what(self) -> str:
        """Return what the file holds: its kind, or the name of a lookup."""
        return self.name or self.kind

    @property
    def field_sets(self) -> tuple[dict[str, FieldType], ...]:
        """Return the fields of each layout, in their order."""
        return self.layouts or (self.fields,)

    @property
    def all_fields(self) -> dict[str, FieldType]:
        """Return the fields of every layout: what expressions may name. One that a layout lacks is null.

        >>> layouts = ({"id": "text"}, {"id": "text", "upb": "money"})
        >>> list(FileSpec(kind="loans", pattern=".*", layouts=layouts).all_fields)
        ['id', 'upb']
        """
        return {name: field for fields in self.field_sets for name, field in fields.items()}


class MappingFile(Section):
    """A file of ``conf/sources``: its name, and the line of each of its keys for messages."""

    # At most as long as the texts that Delta's statistics keep whole: by them it finds a source's files.
    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        max_length=32,
        description="of the source in the tables: small letters, digits and underscores",
    )
    _lines: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def lines(self) -> Mapping[str, str]:
        """Return the line of each key, such as ``files.0.kind``; empty where no file was read."""
        return self._lines
