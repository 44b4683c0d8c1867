"""The networks of a model's members as one file that gives their mean, and each of them."""

from collections.abc import Collection, Sequence
from typing import Any

MEAN = "mean"


def mean_of(networks: Sequence[bytes], each: bool = True) -> bytes:
    """Return an ONNX file of the members' mean probabilities; of one member, its own file.

    Its first output is the mean, ``mean``; the others are the members', ``member_0`` and on.

    Args:
        networks: ONNX files of one kind, from ``numeric`` and, if there are codes, ``codes`` to one output.
        each: whether members are outputs too.
    """
    import onnx
    from onnx import helper

    if len(networks) == 1:
        return networks[0]
    members = [onnx.load_from_string(content) for content in networks]
    first = members[0]
    inputs = [item.name for item in first.graph.input]
    kind = first.graph.output[0].type.tensor_type
    shape = [None, kind.shape.dim[1].dim_value]
    nodes, constants = [], []
    for number, member in enumerate(members):
        _add_prefix(member.graph, f"member_{number}/", inputs)
        output = member.graph.output[0].name
        nodes += [*member.graph.node, helper.make_node("Identity", [output], [f"member_{number}"])]
        constants += member.graph.initializer
    names = [f"member_{number}" for number in range(len(members))]
    nodes.append(helper.make_node("Mean", names, [MEAN]))
    outputs = [
        helper.make_tensor_value_info(name, kind.elem_type, shape)
        for name in (MEAN, *(names if each else ()))
    ]
    graph = helper.make_graph(nodes, "members", first.graph.input, outputs, constants)
    model = helper.make_model(graph, opset_imports=first.opset_import, ir_version=first.ir_version)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _add_prefix(graph: Any, prefix: str, kept: Collection[str]) -> None:
    """Rename everything in a graph but its inputs."""

    def renamed(name: str) -> str:
        return name if not name or name in kept else prefix + name

    for node in graph.node:
        node.name = renamed(node.name)
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
    for item in (*graph.initializer, *graph.output):
        item.name = renamed(item.name)
