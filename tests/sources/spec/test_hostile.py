"""Whatever a spec holds: nothing of it is run, it is refused at once, and what is said can be read.

Each family of attacks runs in a process of its own, which reports the time that each took and the
memory that all took.
"""

import json
import subprocess
import sys
import textwrap

import pytest
from attacks import FAMILIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import assert_readable, build, found

from convcalc.errors import MAX_FINDINGS, ConvcalcError
from convcalc.graph import Graph
from convcalc.reports.findings import findings_text
from convcalc.sources import load

SECONDS = 3.0
"""None takes a second, measured on two slow cores; a machine that is busy gets three."""
MEGABYTES = 200

RUNNER = textwrap.dedent(
    """
    import json, resource, sys, time, unicodedata
    from convcalc.errors import ConvcalcError
    from convcalc.reports.findings import findings_text
    from convcalc.sources import load

    def megabytes():
        try:
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if "VmHWM" in line) / 1024
        except OSError:  # elsewhere; what is measured then may be what the parent had
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    load("resnet")
    before = megabytes()
    # What takes more than this is ended by the system, before it takes the machine along.
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, resource.RLIM_INFINITY))
    for path in sys.argv[1:]:
        begun, memory = time.process_time(), megabytes()
        said, text = [], ""
        try:
            outcome = len(load(path).nodes)
        except ConvcalcError as error:
            outcome = "refused"
            said = [finding.code.id for finding in error.findings]
            text = findings_text(error.findings)
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"[:300]
        print(json.dumps({
            "path": path,
            "outcome": outcome,
            "seconds": time.process_time() - begun,
            "megabytes": megabytes() - before,
            "codes": said[:5],
            "findings": len(said),
            "controls": sorted({c for c in text if not c.isprintable() and c != "\\n"}),
            "longest": max(map(len, text.splitlines()), default=0),
            "characters": len(text),
        }), flush=True)
    """
)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_attack_is_refused_at_once_with_little_memory_and_readable_words(family, tmp_path):
    marker = tmp_path / "marker"
    attacks = {}
    for number, (name, text) in enumerate(FAMILIES[family].items()):
        path = tmp_path / f"attack{number}.yaml"
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(raw.replace(b"{marker}", str(marker).encode()))
        attacks[str(path)] = name
    ran = subprocess.run(
        [sys.executable, "-c", RUNNER, *attacks], capture_output=True, text=True, check=False
    )
    reports = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(reports) == len(attacks), (attacks[list(attacks)[len(reports)]], ran.stderr[-2000:])
    wrong = {}
    for report in reports:
        name = attacks[report["path"]]
        complaints = [
            complaint
            for complaint, holds in {
                f"took {report['seconds']:.2f} s": report["seconds"] > SECONDS,
                f"took {report['megabytes']:.0f} MB": report["megabytes"] > MEGABYTES,
                f"raised {report['outcome']}": not (
                    report["outcome"] == "refused" or isinstance(report["outcome"], int)
                ),
                f"printed {report['controls']}": report["controls"],
                f"printed a line of {report['longest']}": report["longest"] > 600,
                f"printed {report['characters']}": report["characters"] > 250_000,
                f"found {report['findings']}": report["findings"] > MAX_FINDINGS + 1,
            }.items()
            if holds
        ]
        if complaints:
            wrong[name] = complaints
    assert not wrong
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "codes"),
    {
        "a billion laughs": {"E019"},
        "a cycle": {"E018"},
        "nothing but '['": {"E020"},
        "nothing but '{a: '": {"E020"},
        "nothing but '- '": {"E020"},
        "nesting by indentation": {"E020"},
        "tabs": {"E011"},
        "a billion layers": {"E312"},
        "a billion that are left out": {"E312"},
        "1000 × 1000 × 1000": {"E312"},
        "1000 × 1000 × 1000 left out": {"E313"},
        "1000 × 1000 × 1000 in blocks": {"E312"},
        "blocks that double": {"E312"},
        "blocks that all use all": {"E112"},
        "a chain of 9,000 blocks": {"E020"},
        "names that nest": {"E111"},
        "sizes that grow": {"E307"},
        "octal numbers": {"E023"},
        "escapes in a name": {"E111"},
        "null bytes": {"E003"},
        "Latin-1": {"E004"},
        "a surrogate": {"E004"},
    }.items(),
)
def test_an_attack_is_called_by_its_name(name, codes, tmp_path):
    text = next(family[name] for family in FAMILIES.values() if name in family)
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConvcalcError) as caught:
        load(str(path))
    assert codes <= {finding.code.id for finding in caught.value.findings}
    assert_readable(caught.value.findings)


# -- any text at all ------------------------------------------------------------------------------

VALID = [
    "vars: {depths: [2, 1], groups: 1, H: 32}\nvariants: {a: {}, b: {depths: [1, 2]}}\n"
    "input: [3, H, H]\nblocks:\n  conv_bn:\n    args: {out_channels: , kernel_size: 1, stride: 1}\n"
    "    layers:\n      - conv: {out_channels: out_channels, kernel_size: kernel_size,\n"
    "               stride: stride, padding: kernel_size // 2, groups: groups, bias: false}\n"
    "      - batch_norm\n  unit:\n    args: {planes: , stride: 1}\n    layers:\n      - residual:\n"
    "          body:\n"
    "            - conv_bn: {out_channels: planes, kernel_size: 3, stride: stride}\n"
    "            - relu\n          shortcut:\n"
    "            - conv_bn: {out_channels: planes, stride: stride}\n"
    "              if: stride != 1 or in_channels != planes\n      - relu\n"
    "layers:\n  - conv_bn: {out_channels: 8, kernel_size: 7, stride: 2}\n    name: stem\n  - relu\n"
    "  - for: [{planes: 8}, {planes: 16}]\n    name: stage\n    layers:\n"
    "      - repeat: depths[i]\n"
    "        unit: {planes: planes, stride: 2 if i == 0 and planes > 8 else 1}\n"
    "  - global_avg_pool\n  - flatten\n  - linear: {out_features: 10}\n"
    "published:\n  a: {params: 12, from: us}\n",
    "inputs: {image: [3, 16, 16], mask: [1, 16, 16]}\nlayers:\n"
    "  - {conv: {out_channels: 4, kernel_size: [3, 1], padding: same}, "
    "from: image, name: features}\n"
    "  - {concat: , from: [features, mask]}\n"
    "  - parallel:\n      merge: {concat: {dim: 1}}\n      branches:\n"
    "        narrow: [{conv: {out_channels: 'max(2, in_channels // 4)', kernel_size: 1}}]\n"
    "        wide:\n"
    "          - {max_pool: {kernel_size: 3, stride: 1, padding: 1}}\n"
    "        skip: []\n"
    "  - {repeat: 2, name: act, relu: }\noutputs: [act, features]\n",
]
TOKENS = [
    *(
        "conv",
        "relu",
        "batch_norm",
        "max_pool",
        "concat",
        "add",
        "linear",
        "flatten",
        "conv_bn",
        "unit",
    ),
    *("name", "from", "repeat", "for", "if", "layers", "parallel", "residual", "body", "shortcut"),
    *(
        "merge",
        "branches",
        "input",
        "inputs",
        "vars",
        "variants",
        "blocks",
        "args",
        "outputs",
        "published",
    ),
    *(
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "groups",
        "bias",
        "in_channels",
        "i",
        "H",
    ),
    *(
        "prev",
        "stem",
        "same",
        "true",
        "false",
        "null",
        "~",
        "0",
        "1",
        "-1",
        "3",
        "64",
        "0.5",
        "1e9",
    ),
    *(
        "10**9",
        "depths[i]",
        "2 * in_channels",
        "max(8, i)",
        "&a",
        "*a",
        "<<",
        "!x",
        "---",
        "...",
        "|",
        ">",
    ),
    *(
        ": ",
        ", ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "\n  ",
        "\n    ",
        "\n  - ",
        "  ",
        "\t",
        "'",
        '"',
        "#",
        "?",
    ),
    *("\x00", "\x1b[31m", "\u2028", "\ufeff", "é", "😀", "010", "28:28", ".nan", "1e999", "9" * 50),
]


def checked(path):
    """Load a file: a whole graph, or findings that can be printed."""
    error = None
    try:
        graph = load(str(path))
    except ConvcalcError as caught:
        error = caught
    if error is None:
        assert isinstance(graph, Graph)
        read = [*graph.outputs, *(position for node in graph.nodes for position in node.inputs)]
        assert all(0 <= position < len(graph.nodes) for position in read)
        return
    assert 1 <= len(error.findings) <= MAX_FINDINGS + 1
    assert_readable(error.findings)
    for text in (findings_text(error.findings), str(error)):
        assert all(c.isprintable() or c == "\n" for c in text)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "net.yaml"


fuzz = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@fuzz
@given(
    st.sampled_from(VALID),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 255), st.booleans()), min_size=1, max_size=6
    ),
)
def test_flipped_bytes_are_read_or_refused(file, text, flips):
    raw = bytearray(text.encode())
    for where, byte, replaces in flips:
        position = int(where * (len(raw) - 1))
        raw[position : position + replaces] = bytes([byte])
    file.write_bytes(raw)
    checked(file)


@fuzz
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(TOKENS)), min_size=1, max_size=4),
)
def test_swapped_words_are_read_or_refused(file, text, swaps):
    for where, token in swaps:
        words = [*_words(text)]
        words[int(where * (len(words) - 1))] = token
        text = "".join(words)
    file.write_bytes(text.encode())
    checked(file)


def _words(text):
    """``text`` in pieces: runs of letters and digits, and everything else a character each."""
    word = ""
    for character in text:
        if character.isalnum() or character == "_":
            word += character
            continue
        if word:
            yield word
        word = ""
        yield character
    if word:
        yield word


@fuzz
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=4),
)
def test_moved_lines_are_read_or_refused(file, text, moves):
    lines = text.splitlines(keepends=True)
    for source, target, stays in moves:
        line = lines[int(source * (len(lines) - 1))]
        if not stays and len(lines) > 1:
            lines.remove(line)
        lines.insert(int(target * len(lines)), line)
    file.write_bytes("".join(lines).encode())
    checked(file)


@fuzz
@given(st.lists(st.sampled_from(TOKENS), max_size=60).map("".join))
def test_words_in_any_order_are_read_or_refused(file, text):
    file.write_bytes(text.encode())
    checked(file)


@fuzz
@given(
    st.recursive(
        st.sampled_from(
            [t for t in TOKENS if t.isalnum() or t in {"-1", "0.5", "10**9", "depths[i]"}]
        ),
        lambda parts: st.one_of(
            st.lists(parts, max_size=4),
            st.dictionaries(
                st.sampled_from([t for t in TOKENS if t.isidentifier()]), parts, max_size=4
            ),
        ),
        max_leaves=25,
    )
)
def test_data_of_the_right_words_is_read_or_refused(file, data):
    file.write_text(
        json.dumps({"input": [3, 8, 8], "layers": data}, ensure_ascii=False), encoding="utf-8"
    )
    checked(file)


# -- networks that are right ----------------------------------------------------------------------

# Layers that keep the size of what comes in, whatever it is; `n` is a variable and an argument.
SIMPLE = [
    *("{relu: }", "{batch_norm: {}}", "{tanh: ~}", "{dropout: {p: 0.5}}", "{prelu: }"),
    "{depthwise_conv: {kernel_size: 3, padding: same}}",
    "{max_pool: {kernel_size: 3, stride: 1, padding: 1}}",
]
CHANNELS = [
    *("4", "n", "2 * n + 1", "in_channels", "n if n > 1 else in_channels"),
    "'max(n, in_channels // 2)'",
]
WINDOWS = [
    ("1", "0"),
    ("3", "1"),
    ("2 * 2 + 1", "same"),
    ("[3, 1]", "[1, 0]"),
    ("2", "[[1, 0], [0, 1]]"),
]

simple = st.one_of(
    st.sampled_from(SIMPLE),
    st.builds(
        lambda channels, window: (
            f"{{conv: {{out_channels: {channels}, "
            f"kernel_size: {window[0]}, padding: {window[1]}}}}}"
        ),
        st.sampled_from(CHANNELS),
        st.sampled_from(WINDOWS),
    ),
)


def grouped(parts):
    """Structures around layers that keep the size."""
    some = st.lists(parts, min_size=1, max_size=3).map(", ".join)
    last = "{{conv: {{out_channels: 4, kernel_size: 1}}}}"
    return st.one_of(
        *(
            st.builds(pattern.format, some, some)
            for pattern in [
                "{{layers: [{}]}}",
                "{{name: group, repeat: 2, layers: [{}]}}",
                "{{repeat: n - 1, layers: [{}]}}",
                "{{for: {{k: [1, n]}}, name: stage, layers: [{}]}}",
                "{{for: [{{k: 1}}, {{k: n}}], repeat: 1, layers: [{}]}}",
                "{{if: in_channels > 5 and n != 2, layers: [{}]}}",
                "{{parallel: {{merge: concat, branches: {{a: [{}], b: , c: [{}]}}}}}}",
                f"{{{{residual: {{{{body: [{{}}, {last}], shortcut: [{{}}, {last}]}}}}}}}}",
                "{{residual: {{body: [{{relu: }}]}}, from: [prev]}}",
                "{{block: {{n: n + 1}}}}",
            ]
        )
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.recursive(simple, grouped, max_leaves=8), min_size=1, max_size=5),
    st.lists(simple, min_size=1, max_size=3),
    st.integers(1, 3),
)
def test_a_network_that_is_right_is_built(items, block, n):
    text = (
        f"vars: {{n: {n}}}\ninput: [3, 6, 6]\nblocks:\n"
        f"  block: {{args: {{n: , m: n + in_channels}}, layers: [{', '.join(block)}]}}\n"
        "layers:\n" + "".join(f"  - {item}\n" for item in ["relu", *items])
    )
    assert found(text) == (), text
    graph = build(text)
    assert all(node.shape[1:] == (6, 6) for node in graph.nodes)
    assert len({node.name for node in graph.nodes}) == len(graph.nodes)
