"""A spec in, its network or its findings out; without a file."""

from convcalc.errors import Findings, SourceText, SpecError
from convcalc.sources.spec import Spec
from convcalc.sources.spec.grammar import Grammar
from convcalc.sources.yaml_nodes import compose

INPUT = "input: [3, 32, 32]\n"


def build(text, settings=None, variant=None):
    """The graph of a spec."""
    spec = Spec(SourceText("net.yaml", text), text)
    return spec.graph(variant, settings, name="net", spec="net.yaml")


def document(text):
    """The document of a spec that nothing is wrong with."""
    source, findings = SourceText("net.yaml", text), Findings()
    made = Grammar(source, findings).document(compose(source, text, findings))
    assert list(findings) == []
    return made


def shapes(text, settings=None, variant=None):
    """The shape of each layer's output by the layer's name, inputs included."""
    return {node.name: node.shape for node in build(text, settings, variant).nodes}


def kinds(text, settings=None, variant=None):
    """The name and kind of each layer, in order."""
    return [(n.name, n.layer.kind) for n in build(text, settings, variant).layers]


def found(text, settings=None, variant=None):
    """Everything that is wrong with a spec; an empty tuple if nothing is."""
    try:
        build(text, settings, variant)
    except SpecError as error:
        return error.findings
    return ()


def only(text, settings=None, variant=None):
    """The one thing that is wrong with a spec."""
    findings = found(text, settings, variant)
    assert len(findings) == 1, [str(f.code.id) + " " + f.message for f in findings]
    return findings[0]


def codes(text, settings=None, variant=None):
    """The codes of everything that is wrong, in the order of the text."""
    return [finding.code.id for finding in found(text, settings, variant)]


def marked(place):
    """What stands under the caret."""
    line = place.text.lines[place.line - 1]
    return line[place.column - 1 : place.column - 1 + place.length]


def assert_readable(findings):
    """That findings can be printed, and point into their texts."""
    for finding in findings:
        assert finding.message
        for text in (finding.message, finding.help or "", *finding.notes):
            assert len(text) <= 400
        places = [finding.place, *(related.place for related in finding.related)]
        for place in filter(None, places):
            lines = place.text.lines or [""]
            assert 1 <= place.line <= len(lines), finding
            assert 1 <= place.column <= len(lines[place.line - 1]) + 1, finding
            assert place.length >= 1
