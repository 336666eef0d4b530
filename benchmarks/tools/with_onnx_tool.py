"""Count with onnx-tool: python with_onnx_tool.py FILE, which has no need of PyTorch."""

import sys

from onnx_tool import Graph, Model


def build(file: str) -> tuple[Graph]:
    """The network in an ONNX file."""
    return (Model(file).graph,)


def count(graph: Graph) -> tuple[int, int]:
    """Its MACs, its parameters."""
    graph.shape_infer()
    graph.profile()
    return int(graph.macs[0]), int(graph.params)


if __name__ == "__main__":
    print(*count(*build(sys.argv[1])))
