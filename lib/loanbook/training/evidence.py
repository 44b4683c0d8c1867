"""What a training snapshot is made of: features that fit their labels, and roles of attributes."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.tape_kind import IDS
from loanbook.errors import InputError


def role_in(rows: DataFrame, attribute: str) -> str | None:
    """Return the role that rows of a table with ``attribute_roles`` declare; None where none does."""
    role = F.element_at("attribute_roles", attribute).alias("role")
    found = rows.select(role).where(F.col("role").isNotNull()).first()
    return None if found is None else str(found["role"])


def one_definition(features: DataFrame, labels: Sequence[DataFrame]) -> dict[str, str]:
    """Return catalogue, default definition, which the tables of labels must share, and knowledge of features.

    Raises:
        InputError: there are several, or the labels follow another default definition.
    """
    found = [row.asDict() for row in features.select(*IDS).distinct().limit(3).collect()]
    definition = "default_definition_id"
    of_labels = {row[0] for table in labels for row in table.select(definition).distinct().limit(3).collect()}
    if len(found) == 1 and of_labels <= {found[0][definition]}:
        return {key: str(value) for key, value in found[0].items()}
    if not found and not of_labels:
        return {}
    raise InputError(
        required="features of one catalogue, and labels of the same default definition",
        found=f"features {found}, labels {sorted(of_labels)}",
        do="run build-features and build-labels again with the present settings",
    )
