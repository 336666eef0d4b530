"""Checks made by hand, for the tests of their reports."""

from fractions import Fraction

from convcalc.analysis import analyze_graph
from convcalc.api import load
from convcalc.budgets import Check, CheckedNetwork, Verdict
from convcalc.errors import Finding, Place, Related, SourceText, catalogue
from convcalc.limits import Bound, Budget, Limit, Scope
from convcalc.metrics import metric

# stem: 27·16 + 16 = 448 parameters, 27·16·64 = 27,648 multiply-adds, 16·64·4 = 4,096 B;
# head: 16·8 + 8 = 136 parameters, 16·8·64 = 8,192 multiply-adds, 8·64·4 = 2,048 B.
SPEC = """\
input: [3, 8, 8]
layers:
  - conv: {out_channels: 16, kernel_size: 3, padding: 1}
    name: stem
  - relu
  - conv: {out_channels: 8, kernel_size: 1}
    name: head
"""
# Of twice the channels, stem has 27·32 + 32 = 896 parameters and 27·32·64 = 55,296 multiply-adds,
# head 32·8 + 8 = 264 parameters and 32·8·64 = 16,384 multiply-adds.
WIDER = SPEC.replace("16", "32")

SPEC_TEXT = SourceText("net.yaml", SPEC, "net.yaml")
STEM = Place(SPEC_TEXT, 3, 5, 4)
BUDGET_TEXT = SourceText(
    "budgets.yaml", "version: 1\nbudgets:\n  - max: {params: 583}\n", "budgets.yaml"
)
BUDGET_LINE = Place(BUDGET_TEXT, 3, 19, 3)
OPTION = Place(SourceText("--max params", "583"), 1, 1, 3)

HOSTILE = "a\x1b[31m\n::error::x]]>\"'`|@you<b>&%,:](http://x)\u202e\udcff"
"""A name with all that any of the formats, or a terminal, takes for its own."""


def analysis(tmp_path, text=SPEC, name="net"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return analyze_graph(load(path))


def limit(name, amount, text, bound=Bound.MAX, **more):
    return Limit(metric(name), bound, Fraction(amount), text, **({"place": BUDGET_LINE} | more))


def verdict(of, value, subject=None, *, says=None, place=None, allowed=None, **more):
    """A verdict of the limit ``of``; ``says`` is the message where it does not hold."""
    code = {
        Bound.MAX: catalogue.ABOVE_MAX,
        Bound.MIN: catalogue.BELOW_MIN,
        Bound.MAX_INCREASE: catalogue.DEARER,
    }[of.bound]
    finding = says and Finding(
        code,
        says,
        place or of.place,
        help=of.message,
        related=(Related("budget", of.place),) if place else (),
        warns=of.warns,
    )
    allowed = of.amount if allowed is None else Fraction(allowed)
    return Verdict(of, subject, Fraction(value), allowed, place=place, finding=finding, **more)


def network(of, *verdicts, name=None, baseline=None, **more):
    limits = tuple({id(each.limit): each.limit for each in verdicts}.values())
    return CheckedNetwork(of, Budget(limits, name=name), baseline, verdicts, **more)


PARAMS = limit("params", 583, "583", message="See docs/budgets.md.")
ACTIVATIONS = limit("activations", 4095, "4095 B", scope=Scope.LAYER, pattern="*")
FIELD = limit("receptive_field", 5, "5", Bound.MIN, warns=True)

TOO_MANY = verdict(PARAMS, 584, says="parameters 584 exceed 583 by 1 (0.2 %)")
TOO_LARGE = verdict(
    ACTIVATIONS, 4096, "stem", says="`stem`: activation memory 4,096 B exceeds", place=STEM
)
TOO_NARROW = verdict(FIELD, 3, says="receptive field 3 falls short of 5 by 2")
UNJUDGED = Finding(
    catalogue.UNKNOWN_KEY,
    "unknown key `parms`",
    Place(BUDGET_TEXT, 3, 11, 6),
    help="did you mean `params`?",
)
UNUSED = Finding(catalogue.UNUSED_OUTPUT, "nobody reads `act`", STEM)


def small_check(tmp_path, **more):
    """One network: over in two limits, warned of in one, within one."""
    found = analysis(tmp_path)
    within = verdict(limit("macs", 35840, "35.84k"), 35840)
    act = verdict(ACTIVATIONS, 2048, "head")
    return Check((network(found, TOO_MANY, TOO_LARGE, act, TOO_NARROW, within),), **more)


def hostile_check(tmp_path):
    """A check in which every name is `HOSTILE`."""
    found = analysis(tmp_path)._replace(name=HOSTILE, spec=HOSTILE, settings=((HOSTILE, HOSTILE),))
    text = SourceText(HOSTILE, f"{HOSTILE}\n", HOSTILE)
    layer = verdict(
        ACTIVATIONS, 4096, HOSTILE, says=f"`{HOSTILE}` is too large", place=Place(text, 1, 1, 3)
    )
    finding = UNJUDGED._replace(message=HOSTILE, place=Place(text, 1, 1), notes=(HOSTILE,))
    return Check((network(found, layer, name=HOSTILE),), (finding,))
