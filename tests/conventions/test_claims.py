"""Whose count a figure is."""

import pytest

from convcalc import analyze
from convcalc.conventions.claims import Claim, judged
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import Written

NET = """
vars: {size: 8}
input: [4, size, size]
layers:
  - conv: {out_channels: 2, kernel_size: 1, bias: false}
  - batch_norm
  - relu
"""
# At 8: 64·2·4 = 512 macs on 128 outputs. fvcore: + 2·128 = 768. ptflops: + 2·128 + 2·128 = 1024;
# with relu as a function 896. thop: + 4·128 = 1024. torchinfo: + 4 = 516. torch: 1024; calflops:
# 1024 + 256 + 128 = 1408. convcalc's FLOPs: the same 1408.


@pytest.fixture
def at(spec):
    path = spec(NET)
    return lambda size=8: analyze(path, {"size": size})


def exact(value, *, is_of_params=False):
    return Claim(str(value), value, value, is_of_params)


def told(candidates):
    return [
        (each.counted.convention.name, each.value, each.analysis.inputs[0][1][1])
        for each in candidates
    ]


def unused():
    raise AssertionError("not needed")
    yield


def test_a_figure_is_looked_for_on_the_specs_own_input_first(at):
    verdict = judged(exact(768), at(), unused())
    assert told(verdict.matches) == [("fvcore", 768, 8)]
    assert (verdict.nearest, verdict.sizes) == ((), ())


def test_all_conventions_that_give_a_figure_are_named(at):
    verdict = judged(exact(1024), at(), unused())
    assert {name for name, _, _ in told(verdict.matches)} == {"ptflops", "thop", "torch"}


def test_a_rounded_figure_is_all_that_it_may_stand_for(at):
    verdict = judged(Claim("0.5k", 450, 599), at(), unused())
    assert [value for _, value, _ in told(verdict.matches)] == [512, 512, 516]


def test_another_way_of_writing_comes_before_other_sizes(at):
    (match,) = judged(exact(896), at(), unused()).matches
    assert match.counted.convention.name == "ptflops"
    assert match.written == (Written("relu", Form.SUBCLASS),)


def test_what_is_said_of_the_writing_is_kept_elsewhere_too(at):
    said = [Written("batch_norm", Form.FUNCTION)]
    # Without the norm that it does not see, at 4: 128 + 2·32.
    verdict = judged(exact(192), at(), [at(4)], said)
    assert ("ptflops", 192, 4) in told(verdict.matches)


def test_other_sizes_come_last(at):
    verdict = judged(exact(4 * 768), at(), [at(4), at(16)])
    assert told(verdict.matches) == [("fvcore", 3072, 16)]
    assert verdict.sizes == ((4, 4, 4), (4, 16, 16))


def test_where_nothing_fits_the_nearest_are_told(at):
    verdict = judged(exact(700), at(), [at(4)])
    assert verdict.matches == ()
    assert told(verdict.nearest)[0] == ("fvcore", 768, 8)
    assert len(verdict.nearest) == 3
    away = [abs(value - 700) for _, value, _ in told(verdict.nearest)]
    assert away == sorted(away)


def test_a_claim_of_parameters_has_nothing_to_do_with_sizes(at):
    # 2·4 weights, 2·2 of the norm.
    (match,) = judged(exact(12, is_of_params=True), at(), unused()).matches
    assert (match.value, match.is_of_params) == (12, True)
    verdict = judged(exact(13, is_of_params=True), at(), unused())
    assert (verdict.matches, [each.value for each in verdict.nearest]) == ((), [12])
