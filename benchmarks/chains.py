"""Networks of any number of layers, as specs."""

from pathlib import Path

CHAIN = """\
input: [8, 16, 16]
layers:
  - repeat: {count}
    conv: {{out_channels: 8, kernel_size: 3, padding: 1}}
"""
"""Convolutions one behind the other; `tools/networks.py` has the same in PyTorch."""
SKIPS = """\
input: [8, 16, 16]
layers:
  - repeat: {count} // 5
    layers:
      - residual:
          body:
            - conv: {{out_channels: 8, kernel_size: 3, padding: 1}}
            - batch_norm
            - relu
      - relu
"""
"""Residual blocks of five layers each."""


def written(text: str, count: int, folder: Path) -> str:
    """The path of a spec of ``count`` layers, written into ``folder``."""
    path = folder / f"layers_{count}.yaml"
    path.write_text(text.format(count=count), encoding="utf-8")
    return str(path)
