"""How long it takes to state what a network costs as formulas of its sizes.

python benchmarks/formulas.py [runs]
"""

import sys
import tempfile
from pathlib import Path

from measuring import milliseconds

from convcalc.algebra import symbol
from convcalc.algebra.notation import latex, python_function, text
from convcalc.analysis.formulas import NetworkFormulas, network_formulas
from convcalc.graph import Graph
from convcalc.sources import load

SHRINKING = """\
vars: {H: 640, W: 480}
input: [3, H, W]
layers:
  - {conv: {out_channels: 8, kernel_size: 3, stride: 2}, name: stem}
  - repeat: 149
    conv: {out_channels: 8 + i, kernel_size: 2 + i % 2}
"""
"""150 layers, each with a size and channels of its own: ⌊(H + 1)/2⌋ less more and more."""
STRIDES = """\
vars: {H: 640, W: 480}
input: [3, H, W]
layers:
  - for: {stride: [STRIDES]}
    layers:
      - {conv: {out_channels: 8 + i, kernel_size: stride, stride: stride}, from: input}
"""
"""150 layers, each with a stride of its own: no two have a floor in common."""
LIMITS = {"resnet::resnet50": 10, "150 sizes": 50, "150 strides": 50}
"""Milliseconds from a graph to the formulas of its totals and layers."""


def formulas(graph: Graph) -> NetworkFormulas:
    """The formulas of ``graph`` with the batch free as well."""
    return network_formulas(graph, batch=symbol("N"))


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"N, H and W are free; milliseconds, the fastest of {runs} runs.\n")
    print(
        "| network | layers | graph to formulas | limit | text to formulas | as text | as LaTeX "
        "| as Python |\n| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    sizes = {name: symbol(name) for name in ("H", "W")}
    with tempfile.TemporaryDirectory() as folder:
        specs = {"resnet::resnet50": "resnet::resnet50", "resnet::resnet152": "resnet::resnet152"}
        strides = ", ".join(map(str, range(1, 151)))
        for name, spec in (
            ("150 sizes", SHRINKING),
            ("150 strides", STRIDES.replace("STRIDES", strides)),
        ):
            path = Path(folder) / f"{name.replace(' ', '_')}.yaml"
            path.write_text(spec, encoding="utf-8")
            specs[name] = str(path)
        for name, spec in specs.items():
            graph = load(spec, sizes)
            found = formulas(graph)
            times = [
                milliseconds(work, runs)
                for work in (
                    lambda graph=graph: formulas(graph),
                    lambda spec=spec: formulas(load(spec, sizes)),
                    lambda found=found: [text(formula) for _, formula in found.totals],
                    lambda found=found: [latex(formula) for _, formula in found.totals],
                    lambda found=found: python_function(
                        "cost", found.totals, found.symbols, about="Its cost."
                    ),
                )
            ]
            first, *rest = (f"{time:.1f}" for time in times)
            cells = (name, str(len(found.layers)), first, str(LIMITS.get(name, "")), *rest)
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
