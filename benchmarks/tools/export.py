"""Write networks as ONNX files: python export.py FOLDER NETWORK..."""

import sys
import warnings
from pathlib import Path

import torch
from networks import network


def main() -> None:
    """Write FOLDER/NETWORK.onnx for each that is not there yet."""
    folder = Path(sys.argv[1])
    for name in sys.argv[2:]:
        file = folder / f"{name}.onnx"
        if not file.exists():
            model, image = network(name, "cpu")
            torch.onnx.export(model, (image,), str(file), dynamo=False)


if __name__ == "__main__":
    # The exporter that needs nothing beside PyTorch warns that there is another.
    warnings.simplefilter("ignore")
    main()
