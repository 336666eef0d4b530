"""What the tests that hold convcalc against PyTorch share."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Of tensors as small as these, two threads make nothing faster and much slower."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
