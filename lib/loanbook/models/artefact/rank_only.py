"""When PDs only rank loans, and say nothing of how many will default."""

from loanbook.book.tape_kind import TapeKind
from loanbook.models.artefact.artefact import Artefact


def why_rank_only(artefact: Artefact, tape: TapeKind) -> str | None:
    """Return why a model's PDs only rank the loans of a tape, None where they also say a level.

    Their sums and means would be of no portfolio.
    """
    if artefact.json("metrics.json")["method"] == "prior":
        return "nothing could be learnt (no labelled row, or all labels alike): every loan has the same PD"
    if artefact.json("inputs.json").get("sampling") == "case_control":
        return "the model learnt from a case-control sample: its default rate is not the population's"
    if tape.sampling == "case_control":
        return "the loans are a case-control sample: they were drawn by what became of them"
    return None
