"""The sigmoid in ONNX: small probabilities as precise as large ones."""

from typing import Any


def sigmoid_nodes(score: str, output: str) -> tuple[list[Any], list[Any]]:
    """Return nodes and constants of 1 / (1 + exp(-score)).

    ONNX Runtime's own sigmoid is a rational approximation, off by up to 1.5e-7 whatever the probability: by
    an eighth of one of 1e-5, and 0 below 1e-8. Its exponential is precise to float32.

    Args:
        score: name of what is turned into probabilities, float32.
        output: name of these.
    """
    from onnx import TensorProto, helper

    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    steps = [
        ("Neg", [score], "against"),
        ("Exp", ["against"], "odds_against"),
        ("Add", ["odds_against", "one"], "all_odds"),
        ("Reciprocal", ["all_odds"], output),
    ]
    return [helper.make_node(kind, inputs, [made]) for kind, inputs, made in steps], [one]
