"""Makes the bytes of an ONNX file follow from the network alone.

The converter names and orders nodes by counters of what the process has traced before, so that equal
networks, such as those of a resumed and of an undisturbed training, would get files with other hashes.
"""

from typing import Any

from loanbook.errors import LoanbookError


def canonical_graph(proto: Any) -> Any:
    """Return the model with nodes in the order in which its outputs need them, and with plain names.

    Raises:
        LoanbookError: a node holds a graph of its own, such as the loop of a masked recurrent layer.
    """
    for node in proto.graph.node:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise LoanbookError(
                f"the network cannot be exported: ONNX makes a {node.op_type} of one of its layers, and "
                "names within it do not follow from the network; build recurrent layers without a mask, or "
                "with unroll=True"
            )
    walk = _Walk(proto.graph)
    for item in proto.graph.output:
        walk.visit(item.name)
    graph = proto.graph
    nodes = [walk.renamed_node(position, node) for position, node in enumerate(walk.nodes)]
    constants = [walk.renamed_constant(item) for item in walk.constants]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    for item in (*graph.input, *graph.output):
        for size in item.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = "rows"
    graph.name, graph.doc_string = "network", ""
    return proto


class _Walk:
    """Visits the graph from its outputs, numbering each tensor when it is first met."""

    def __init__(self, graph: Any) -> None:
        self._makers = {name: node for node in graph.node for name in node.output}
        self._initializers = {item.name: item for item in graph.initializer}
        self._names = {item.name: item.name for item in (*graph.input, *graph.output)} | {"": ""}
        self._seen: set[str] = set()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def visit(self, tensor: str) -> None:
        """Number what ``tensor`` is made from, then the tensor itself."""
        if tensor in self._seen:
            return
        self._seen.add(tensor)
        if tensor in self._initializers:
            self._names[tensor] = f"constant_{len(self.constants)}"
            self.constants.append(self._initializers[tensor])
        elif tensor in self._makers:
            node = self._makers[tensor]
            for name in node.input:
                self.visit(name)
            for position, name in enumerate(node.output):
                self._seen.add(name)
                self._names.setdefault(name, f"tensor_{len(self.nodes)}_{position}")
            self.nodes.append(node)

    def renamed_node(self, position: int, node: Any) -> Any:
        """Return a copy of the node under its new names."""
        copy = type(node).FromString(node.SerializeToString())
        copy.name = f"node_{position}"
        copy.input[:] = [self._names[name] for name in node.input]
        copy.output[:] = [self._names[name] for name in node.output]
        return copy

    def renamed_constant(self, item: Any) -> Any:
        """Return a copy of the initializer under its new name."""
        copy = type(item).FromString(item.SerializeToString())
        copy.name = self._names[item.name]
        return copy
