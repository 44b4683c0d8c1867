"""What a published table is: its columns, key and constraints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from loanbook.errors import LoanbookError

Filler = Literal["mapping", "attributes", "delivery", "checks", "definition", "tally", "job"]
Room = Literal["features", "labels", "outcomes", "history_checks", "runs"]


@dataclass(frozen=True)
class Column:
    """A column: its Spark SQL type, its meaning with unit, whether every row has it, who fills and reads it.

    Args:
        filled_by: where its values are from: an expression or another key of the tape's mapping, the tape's
            own attributes, the delivery that brought the row, the checks of rows, the default definition, the
            tally of a file's rows, or else the job that writes the table.
        read_by: rooms that read chosen columns of the table, this one among them, beside its key.
    """

    name: str
    type: str
    comment: str
    required: bool = False
    filled_by: Filler = "job"
    read_by: tuple[Room, ...] = ()


@dataclass(frozen=True)
class Table:
    """A published Delta table.

    Args:
        key: columns that identify a row; jobs assert their uniqueness before they commit.
        partitions: columns of the key (or dates of it) that the files are partitioned by.
        constraints: name to SQL condition; a write that breaks one fails.
        lease: what a run holds while it writes the table; tables that are written together share it.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partitions: tuple[str, ...] = ()
    constraints: Mapping[str, str] = field(default_factory=dict)
    lease: str = ""

    @property
    def lease_name(self) -> str:
        """Return the name of its lease: its own where it shares none.

        A run holds the lease while it writes, so that no other run writes any table under it.

        >>> Table("loans", "", (), (), lease="tape").lease_name, Table("macro", "", (), ()).lease_name
        ('tape', 'macro')
        """
        return self.lease or self.name

    @property
    def column_names(self) -> list[str]:
        """Return the names of the columns in their order."""
        return [column.name for column in self.columns]

    def filled_by(self, *fillers: Filler) -> tuple[str, ...]:
        """Return the names of the columns whose values are from one of ``fillers``."""
        return tuple(column.name for column in self.columns if column.filled_by in fillers)

    def read_by(self, room: Room) -> tuple[str, ...]:
        """Return the names of the columns that a room reads, beside those of the key."""
        return tuple(column.name for column in self.columns if room in column.read_by)

    def conform(self, df: DataFrame) -> DataFrame:
        """Return ``df`` with exactly the table's columns, in order and cast to their types.

        Raises:
            LoanbookError: a column is missing, or one is there that the table does not have.
        """
        found = df.columns
        missing = [name for name in self.column_names if name not in found]
        extra = [name for name in found if name not in self.column_names]
        if missing or extra:
            raise LoanbookError(f"table {self.name}: columns missing {missing}, unknown {extra}")
        casts = (f"CAST(`{column.name}` AS {column.type}) AS `{column.name}`" for column in self.columns)
        return df.selectExpr(*casts)  # a round trip a column; a Column takes six

    @property
    def schema(self) -> StructType:
        """Return the columns as Spark's type, each nullable; it takes a Spark session to read them."""
        return _schema(", ".join(f"`{column.name}` {column.type}" for column in self.columns))

    @property
    def declared(self) -> StructType:
        """Return the columns as Spark's type, with their comments; null only where they may be."""
        fields = [
            StructField(column.name, typed.dataType, not column.required, {"comment": column.comment})
            for column, typed in zip(self.columns, self.schema, strict=True)
        ]
        return StructType(fields)

    def empty(self, spark: SparkSession) -> DataFrame:
        """Return a frame of the table's schema without rows."""
        return spark.createDataFrame([], self.schema)


@cache
def _schema(columns: str) -> StructType:
    """Return what a list of columns declares; parsed once, as each time is a round trip to the JVM."""
    return cast(StructType, StructType.fromDDL(columns))
