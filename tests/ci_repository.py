"""A repository as a team has it: a network, its budget, and a commit that makes a conv wider."""

from git_repository import Repository

NETWORK = """\
input: [3, 32, 32]
layers:
  - {conv: {out_channels: 16, kernel_size: 3, padding: 1}, name: stem}
  - relu
  - {conv: {out_channels: 32, kernel_size: 3, padding: 1}, name: body}
  - relu
  - global_avg_pool
  - flatten
  - {linear: {out_features: 10}, name: head}
"""
WIDER = NETWORK.replace("out_channels: 32", "out_channels: 48")
WIDENED_LINE = 5
BUDGETS = """\
version: 1
budgets:
  - name: sensor
    spec: nets/*.yaml
    max: {macs: 6M, params: 8k}
    layers:
      - {match: body, max: {activations: 128 KiB}}
"""
SPEC = "nets/small.yaml"

# A conv takes C_out · Π out · C_in · Π kernel multiply-adds.
STEM_MACS = 16 * 32 * 32 * 3 * 9  # 442,368
MACS = STEM_MACS + 32 * 32 * 32 * 16 * 9 + 32 * 10  # + 4,718,592 + 320 = 5,161,280
WIDER_MACS = STEM_MACS + 48 * 32 * 32 * 16 * 9 + 48 * 10  # + 7,077,888 + 480 = 7,520,736


def first_commit(folder):
    """The repository with the network as it was at first."""
    made = Repository.made(folder)
    made.write(SPEC, NETWORK)
    made.write("budgets.yaml", BUDGETS)
    made.commit("a network and its budget")
    return made


def widen(repository):
    """The second commit."""
    repository.write(SPEC, WIDER)
    repository.commit("more channels in the body")
