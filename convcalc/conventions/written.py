"""How layers are written in PyTorch code, where a spec cannot say and tools differ.

A spec says what is computed. Whether a network's code has ``nn.AdaptiveAvgPool2d(1)``, a module, or
calls ``F.adaptive_avg_pool2d(x, 1)``, a function, makes no difference to what is computed, but to
tools that see modules alone. A module is taken for granted; what is known of designs whose best
known code has something else stands here, by the design's source.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from convcalc.conventions.declaration import Form
from convcalc.layers import all_kinds
from convcalc.name_patterns import matches

__all__ = [
    "KNOWN_WRITINGS",
    "Writing",
    "Written",
    "known_writing",
    "parse_written",
    "possible_forms",
]


class Written(NamedTuple):
    """How layers are written."""

    what: str
    """A layer kind, or a pattern of layer names; ``name:relu`` is the layer of that name."""
    form: Form

    def fits(self, kind: str, name: str) -> bool:
        """Whether it speaks of a layer of this kind and name."""
        return self.what == kind or matches(self.what.removeprefix("name:"), name)

    def __str__(self) -> str:
        return f"{self.what}={self.form.value}"


class Writing(NamedTuple):
    """What of a design's code is not as usual."""

    design: str
    """The address of the design, as specs have it under `source`."""
    code: str
    """The file that writes it so."""
    written: tuple[Written, ...]


KNOWN_WRITINGS: Final = (
    Writing(
        "https://arxiv.org/abs/1801.04381",
        "torchvision/models/mobilenetv2.py",
        (Written("global_avg_pool", Form.FUNCTION),),
    ),
    Writing(
        "https://arxiv.org/abs/1608.06993",
        "torchvision/models/densenet.py",
        (Written("name:relu", Form.FUNCTION), Written("global_avg_pool", Form.FUNCTION)),
    ),
    Writing(
        "https://arxiv.org/abs/1807.11164",
        "torchvision/models/shufflenetv2.py",
        (Written("global_avg_pool", Form.OPERATOR),),
    ),
    Writing(
        "https://arxiv.org/abs/1807.11626",
        "torchvision/models/mnasnet.py",
        (Written("global_avg_pool", Form.OPERATOR),),
    ),
    Writing(
        "https://arxiv.org/abs/1409.4842",
        "torchvision/models/googlenet.py",
        (Written("relu", Form.FUNCTION),),
    ),
    Writing(
        "https://arxiv.org/abs/1512.00567",
        "torchvision/models/inception.py",
        (
            Written("relu", Form.FUNCTION),
            Written("avg_pool", Form.FUNCTION),
            Written("mixed*.max_pool", Form.FUNCTION),
        ),
    ),
    Writing(
        "https://arxiv.org/abs/1712.04851",
        "torchvision/models/video/s3d.py",
        (Written("global_avg_pool", Form.OPERATOR),),
    ),
    Writing(
        "https://arxiv.org/abs/2010.11929",
        "torchvision/models/vision_transformer.py",
        (Written("multi_head_attention", Form.FUNCTION),),
    ),
    Writing(
        "https://arxiv.org/abs/1411.4038 (FCN), 1706.05587 (DeepLab V3), 1905.02244 (LR-ASPP)",
        "torchvision/models/segmentation/_utils.py",
        (Written("upsample", Form.FUNCTION),),
    ),
)
"""What is known of the networks that come with convcalc, where it makes a difference."""


def known_writing(design: str | None) -> tuple[Written, ...]:
    """What is known of how ``design`` is written, by its address."""
    return tuple(
        each for writing in KNOWN_WRITINGS if writing.design == design for each in writing.written
    )


_NO_OPERATOR: Final = frozenset(
    (
        *("conv", "depthwise_conv", "conv_transpose", "linear", "multi_head_attention"),
        *("batch_norm", "instance_norm", "group_norm", "layer_norm", "local_response_norm"),
        *("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool", "upsample"),
        *("leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "glu"),
        *("hard_sigmoid", "hard_swish", "dropout", "pixel_shuffle", "pixel_unshuffle"),
    )
)
"""Kinds that no operator and no method of a PyTorch tensor computes."""


def possible_forms(kind: str) -> tuple[Form, ...]:
    """The forms that layers of a kind can have in PyTorch code."""
    # Not above: counting needs what is written.
    from convcalc.conventions.counting import usual_form  # noqa: PLC0415 - see above

    forms = (Form.MODULE, Form.SUBCLASS) if usual_form(kind) is Form.MODULE else ()
    return (*forms, Form.FUNCTION, *(() if kind in _NO_OPERATOR else (Form.OPERATOR,)))


def parse_written(text: str) -> Written:
    """``global_avg_pool=function``, understood. Raises ValueError."""
    what, separator, form = (part.strip() for part in text.partition("="))
    if not separator or not what:
        raise ValueError(f"{text!r} is not LAYERS=FORM")
    try:
        written = Written(what, Form(form))
    except ValueError:
        known = ", ".join(each.value for each in Form)
        raise ValueError(f"{form!r} is no form of PyTorch code: there are {known}") from None
    if what in all_kinds() and written.form not in possible_forms(what):
        known = ", ".join(each.value for each in possible_forms(what))
        raise ValueError(f"PyTorch has no {form} that is {what}: there are {known}")
    return written
