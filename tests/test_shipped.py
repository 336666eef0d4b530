"""The networks that ship with convcalc are found by their names, and by nothing else."""

import pytest

from convcalc.shipped import shipped_folder, shipped_names, shipped_path


def test_every_file_of_the_folder_has_a_name():
    names = shipped_names()
    assert {"inception_naive", "inception_bottleneck", "resnet"} < set(names)
    assert len(names) == len(list(shipped_folder().iterdir()))
    assert all(shipped_path(name).is_file() for name in names)


@pytest.mark.parametrize("name", ["", "..", "../specs/resnet", "resnet.yaml", "Resnet", "resnet/"])
def test_nothing_else_is_a_name(name):
    assert shipped_path(name) is None
