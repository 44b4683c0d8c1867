"""The tape's own outcome: what counts as bad, and within which time, is the tape's word (``of_tape``)."""

from loanbook.models.binary_head import OUTCOME, TAPE_OUTCOME, BinaryHead

HEAD = BinaryHead(
    name="tape_outcome",
    label="tape_outcome",
    labelled=TAPE_OUTCOME,
    horizon_months=None,
    fills=(OUTCOME,),
    event="the tape's own outcome",
)
