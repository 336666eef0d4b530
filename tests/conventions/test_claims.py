"""Whose count a figure is."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import analyze
from convcalc.analysis import analyze_graph
from convcalc.conventions import all_conventions
from convcalc.conventions.claims import Claim, Other, judged
from convcalc.conventions.counting import counted
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import Written
from convcalc.errors import SourceText
from convcalc.sources.spec import Spec

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


@cache
def network_at(size):
    """The same network without a file, worked out once for all examples."""
    spec = Spec(SourceText("net.yaml", NET, "net.yaml"), NET)
    return analyze_graph(spec.graph(None, {"size": size}, name="net", spec="net.yaml"))


def exact(value, *, is_of_params=False):
    return Claim(str(value), value, value, is_of_params)


def told(candidates):
    return [
        (each.counted.convention.name, each.value, each.analysis.inputs[0][1][1])
        for each in candidates
    ]


def chain(at, *sizes):
    """The network at other sizes."""
    return [[Other((4, size, size), lambda size=size: at(size)) for size in sizes]]


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


def test_another_way_of_writing_is_the_most_usual_that_gives_it(at):
    (match,) = judged(exact(896), at(), []).matches
    assert match.counted.convention.name == "ptflops"
    assert match.written == (Written("relu", Form.FUNCTION),)  # a subclass would do as well
    assert match.counted.total == match.value


def test_another_size_stands_before_another_way_of_writing(at):
    # 8·s² macs and 4: at 11 torchinfo's is 972, and nothing else from 896 to 975 but at 8 the
    # 512 + 2·128 + 128 of ptflops with another relu.
    found = judged(Claim("that", 896, 975), at(), chain(at, 11)).matches
    assert told(found)[0][2] == 11
    assert not found[0].written
    assert ("ptflops", 896, 8) in told(each for each in found if each.written)


def test_no_layer_is_taken_for_what_it_cannot_be(at):
    # calflops without the convolution would be 256 + 128: nobody writes one as an operator.
    assert all(not each.written for each in judged(exact(384), at(), []).matches)


def test_what_is_said_of_the_writing_is_kept_elsewhere_too(at):
    said = [Written("batch_norm", Form.FUNCTION)]
    # Without the norm that it does not see, at 4: 128 + 2·32.
    verdict = judged(exact(192), at(), chain(at, 4), said)
    assert ("ptflops", 192, 4) in told(verdict.matches)


def test_other_sizes_come_after_the_specs_own(at):
    verdict = judged(exact(4 * 768), at(), chain(at, 4, 16))
    assert told(verdict.matches) == [("fvcore", 3072, 16)]
    assert verdict.sizes == ((4, 4, 4), (4, 16, 16))


def test_few_of_many_sizes_are_worked_out(at):
    asked = []

    def noted(size):
        asked.append(size)
        return at(size)

    # torchinfo's 8·s² + 4 at 37, between 1 and 64.
    verdict = judged(
        exact(8 * 37 * 37 + 4), at(), chain(noted, *(s for s in range(1, 65) if s != 8))
    )
    assert ("torchinfo", 10956, 37) in told(verdict.matches)
    assert len(verdict.sizes) == 63
    assert len(asked) == len(set(asked)) < 40


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 8), st.integers(1, 4000), st.sets(st.integers(1, 12)))
def test_what_is_not_worked_out_would_not_fit(width, value, refused):
    networks = {size: network_at(size) for size in range(1, 13)}
    others = [
        Other((4, size, size), lambda size=size: None if size in refused else networks[size])
        for size in networks
    ]
    claim = Claim("that", value, value + 20 * width)
    found = judged(claim, network_at(100), [others]).matches
    expected = {
        (convention.name, size)
        for size, network in networks.items()
        if size not in refused
        for convention in all_conventions()
        if claim.fits(counted(network, convention).total)
    }
    plain = {
        (each.counted.convention.name, each.analysis.inputs[0][1][1])
        for each in found
        if not each.is_doubled and not each.written
    }
    assert plain == expected


def test_inputs_that_the_layers_do_not_take_are_not_said_to_be_tried(at):
    refused = Other((4, 2, 2), lambda: None)
    verdict = judged(exact(700), at(), [[refused, *chain(at, 16)[0]], [refused]])
    assert verdict.sizes == ((4, 16, 16),)


def test_a_tools_multiply_adds_may_have_been_doubled(at):
    # Twice torchinfo's 516; nothing says 1032 itself.
    (match,) = judged(exact(1032), at(), unused()).matches
    assert (match.counted.convention.name, match.counted.total) == ("torchinfo", 516)
    assert match.is_doubled
    # Nothing that counts 2 for a multiply-add is doubled again.
    assert judged(exact(2 * 1408), at(), []).matches == ()


def test_a_figure_that_says_nothing_may_be_of_parameters(at):
    (match,) = judged(Claim("12", 12, 12, is_bare=True), at(), unused()).matches
    assert (match.value, match.is_of_params) == (12, True)
    assert judged(exact(12), at(), []).matches == ()


def test_what_is_rounded_stands_before_what_is_cut_off(at):
    # To the nearest 10 are 505 to 515 the 510; 516 only cut off.
    claim = Claim("0.51k", 505, 519)
    assert [value for _, value, _ in told(judged(claim, at(), unused()).matches)] == [512, 512, 516]
    claim = Claim("0.50k", 502, 517)  # from 502 to 512.67
    assert claim.is_cut_off(513)
    assert not claim.is_cut_off(512)


def test_where_nothing_fits_the_nearest_are_told_once_an_input(at):
    verdict = judged(exact(700), at(), chain(at, 4, 7, 16))
    assert verdict.matches == ()
    # At 7: calflops's 22·49 and 2·392 of others; 392 + 4·98 = 784 of thop, 588 of fvcore.
    assert told(verdict.nearest)[0] == ("fvcore", 768, 8)
    assert [size for _, _, size in told(verdict.nearest)][1] == 7
    assert len({size for _, _, size in told(verdict.nearest)}) == len(verdict.nearest)


def test_a_claim_of_parameters_has_nothing_to_do_with_sizes(at):
    # 2·4 weights, 2·2 of the norm.
    (match,) = judged(exact(12, is_of_params=True), at(), unused()).matches
    assert (match.value, match.is_of_params) == (12, True)
    verdict = judged(exact(13, is_of_params=True), at(), unused())
    assert (verdict.matches, [each.value for each in verdict.nearest]) == ((), [12])
