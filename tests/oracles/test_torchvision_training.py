"""What a step of training keeps, held against the saved tensors of torchvision's own modules.

Both passes of a network have the same two samples of the size that torchvision publishes figures
for. What PyTorch's autograd saves is counted by storage, each once however many tensors lie in it:

* without the parameters, which are counted as weights, and without the running statistics, which
  batch norm saves beside those of the batch, and which are counted as buffers;
* with the network's input, which its first convolution saves: it is kept on both sides.

Nothing differs, so there is nothing to explain away. In particular

* ReLU in place overwrites the output of the layer before it. Neither a convolution nor a batch
  norm needs its output again, and ReLU needs its own: one tensor of that size is kept either way.
  The sum of a residual block, which torchvision adds into the output of its last batch norm, is the
  same. ReLU6 needs its input, of which PyTorch therefore keeps a copy when it runs in place: two
  tensors either way, the other for the layer after it.
* the mask of a dropout is kept in the format of the activations, as a CPU multiplies by it.
* of a mean over all positions nothing is kept; of a max pool, 64 bits for each output element.
* the count of batches (num_batches_tracked) is not needed by any gradient, and not saved.
"""

from collections import Counter
from math import prod

import pytest
from torchvision_models import model, torch

from convcalc import load
from convcalc.analysis import Dtypes
from convcalc.analysis.training import kept_for_backward

pytestmark = pytest.mark.oracle
nn = torch.nn
BATCH = 2
BYTES = 4  # of a number in float32
NETWORKS = {
    "resnet18": "resnet::resnet18",
    "vgg16": "vgg::vgg16",
    "mobilenet_v2": "mobilenet_v2",
    "densenet121": "densenet::densenet121",
    "googlenet": "googlenet::googlenet_torchvision",
}


def saved_by_torch(module, side):
    """The sizes of the storages that autograd saves, with what kind of number is in them.

    All are held to the end, so that none comes to stand where another one was.
    """
    saved = {}

    def pack(tensor):
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    x = torch.rand(BATCH, 3, side, side)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module.train()(x)
    assert output.requires_grad
    assert x.data_ptr() in saved
    excluded = {
        tensor.untyped_storage().data_ptr()
        for tensors in (module.parameters(), module.buffers())
        for tensor in tensors
    }
    return Counter(
        (tensor.untyped_storage().nbytes(), tensor.is_floating_point())
        for pointer, tensor in saved.items()
        if pointer not in excluded
    )


def total(sizes):
    return sum(size * count for (size, _), count in sizes.items())


def described(graph):
    """The same, of what the layer kinds say that they keep."""
    kept = kept_for_backward(graph, BATCH, Dtypes())
    sizes = Counter((BATCH * BYTES * prod(graph.nodes[n].shape), True) for n in kept.outputs)
    for node in graph.layers:
        for tensor in node.layer.kept_for_backward(graph.input_shapes(node), node.shape).tensors:
            elements = tensor.elements * (1 if tensor.per_batch else BATCH)
            size = 8 if tensor.bits == 64 else BYTES
            sizes[elements * size, tensor.bits is None] += 1
    return sizes


@pytest.mark.parametrize(("name", "spec"), NETWORKS.items())
def test_torchvision_s_modules_keep_what_is_said_to_the_byte(name, spec):
    graph = load(spec)
    sizes = saved_by_torch(model(name), 224)
    assert total(sizes) == kept_for_backward(graph, BATCH, Dtypes()).size
    assert sizes == described(graph)  # storage by storage


@pytest.mark.parametrize("name", ["resnet18", "vgg16", "mobilenet_v2"])
def test_in_place_or_not_the_same_is_kept(name):
    def saved(in_place):
        module = model(name)
        for layer in module.modules():
            if isinstance(layer, nn.ReLU | nn.ReLU6):
                assert layer.inplace
                layer.inplace = in_place
        return saved_by_torch(module, 64)

    assert saved(in_place=True) == saved(in_place=False)


def test_what_is_worked_out_again_is_not_kept():
    """The option of DenseNet that convcalc does not describe: the comparison sees it."""
    whole, less = (
        saved_by_torch(model("densenet121", memory_efficient=efficient), 64)
        for efficient in (False, True)
    )
    assert total(less) < total(whole) / 2
