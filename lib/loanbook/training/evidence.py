"""What a training snapshot is made of: features that fit their labels, and roles of attributes."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.tape_kind import IDS
from loanbook.errors import InputError
from loanbook.models.head import Head
from loanbook.models.inputs.spec import Candidate


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


def require_labels(target: Head, tables: Mapping[str, DataFrame], source: str) -> None:
    """Refuse to train on a tape that has no label of what is to be learnt.

    Raises:
        InputError: says how many rows there are of each label status.
    """
    of_source = {name: table.where(F.col("source") == source) for name, table in tables.items()}
    labelled = F.count_if(F.col("eligible") & F.col("label").isNotNull()).alias("labelled")
    rows = target.targets(of_source).groupBy("label_status").agg(labelled, F.count(F.lit(1)).alias("rows"))
    found = rows.orderBy("label_status").collect()
    if not any(row["labelled"] for row in found):
        statuses = ", ".join(f"{row['label_status']} {row['rows']:,}" for row in found)
        raise InputError(
            required=f"labels of {source} that say {target.event}, for the head {target.name}",
            found=f"none; rows by label status: {statuses or 'no row'}",
            do="ingest a longer history and run build-labels, or take an architecture with another head",
        )


def require_inputs(target: Head, candidates: Sequence[Candidate]) -> None:
    """Refuse to leave out an input that a head cannot do without.

    Raises:
        InputError: names it.
    """
    for name in target.reads:
        if name not in {item.name for item in candidates}:
            raise InputError(
                required=f"the input {name}, which the head {target.name} cannot do without",
                found="it is left out",
                do="take it out of train.inputs_left_out, or take an architecture with another head",
            )
