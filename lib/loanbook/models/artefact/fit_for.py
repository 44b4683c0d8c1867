"""Whether a model fits the data that it is asked about."""

from collections.abc import Mapping, Sequence

from loanbook.book.tape_kind import TapeKind
from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.head import Head

WHAT = {
    "catalogue_id": "feature catalogue",
    "default_definition_id": "default definition",
    "knowledge": "knowledge (features.knowledge)",
    "period_months": "months of a period",
}


def require_fit(artefact: Artefact, ids: Mapping[str, Sequence[str]], tape: TapeKind, by_name: bool) -> None:
    """Refuse a model of another catalogue, definition, knowledge, period, outcome or, unless named, source.

    Args:
        artefact: the model.
        ids: of the features (``feature_ids``).
        tape: kind of the source's tape.
        by_name: whether the caller named the model in this run, and may mean another source's.

    Raises:
        InputError: names what the data is and what the model was trained on.
    """
    trained_on = artefact.json("inputs.json")
    if not by_name:
        require_source(artefact, tape.source)
    found = {**ids, "period_months": [tape.period_months]}
    for name, what in WHAT.items():
        if found[name] != [trained_on.get(name)]:
            values = ", ".join(map(str, found[name]))
            raise _refused(artefact, f"{what} {values} of these features", trained_on.get(name), by_name)
    outcome = artefact.outcome
    if outcome is not None and tape.outcome is not None and outcome != tape.outcome:
        raise _refused(artefact, f"outcome of the tape ({tape.outcome})", f"({outcome})", by_name)


def require_source(artefact: Artefact, source: str) -> None:
    """Refuse a model of another source.

    Raises:
        InputError: names both.
    """
    trained_on = artefact.json("inputs.json")["source"]
    if trained_on != source:
        raise _refused(artefact, f"source {source}", trained_on, by_name=False)


def require_leading(target: Head, named: str) -> None:
    """Refuse a model whose scores cannot be the book's.

    Args:
        target: what it predicts.
        named: the model, or what is to be trained, in words.

    Raises:
        InputError: says what it predicts.
    """
    if not target.leads:
        raise InputError(
            required="a model whose scores may be the book's: of default within 12 months, or of the "
            "tape's own outcome",
            found=f"{named}, of {target.event}",
            do="take another; train-model and score-portfolio, each with --model, make this one a challenger",
        )


def _refused(artefact: Artefact, wanted: str, found: object, by_name: bool) -> InputError:
    trained_on = "nothing on record: an earlier version trained it" if found is None else str(found)
    return InputError(
        required=f"a model trained on the {wanted}",
        found=f"{artefact.name} {artefact.version}, trained on {trained_on}",
        do="run train-model on these features, or name a model trained on them with --model"
        + ("" if by_name else " or score.model"),
    )
