"""The networks of torchvision: what it says that they cost, and which spec is which."""

import csv
from pathlib import Path
from typing import NamedTuple

from convcalc.sources import shipped_names, variants_of

FIGURES = Path(__file__).parent / "figures" / "torchvision.csv"


class Row(NamedTuple):
    """A network as torchvision builds it, at one input size."""

    model: str
    input: str
    params: int
    macs: int

    @property
    def id(self):
        """The model's name, with the size where there are several."""
        return f"{self.model}-{self.input}" if (self.model, self.input) in CALLED else self.model


CALLED = {
    # The paper's GoogLeNet is the first of its file; torchvision builds another.
    ("googlenet", "3x224x224"): "googlenet_torchvision",
    ("regnet_y_16gf", "3x384x384"): "regnet_y_16gf_384",
}
"""Networks whose variant is not called as torchvision calls the model."""


def rows():
    """Every row of the figures."""
    with FIGURES.open(encoding="utf-8") as file:
        return [
            Row(row["model"], row["input"], int(row["params"]), int(row["macs"]))
            for row in csv.DictReader(file)
        ]


def specs():
    """What a command takes for each network, by its row."""
    by_variant = {}
    for name in shipped_names():
        for graph in variants_of(name):
            reference = graph.spec.removeprefix("specs/").replace(".yaml", "", 1)
            by_variant[reference.rpartition("::")[2]] = reference
    return {row: by_variant[CALLED.get(row[:2], row.model)] for row in rows()}
