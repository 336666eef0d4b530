"""What a user may mean by SPEC, and what is said when there is no such thing."""

import io
import os
import sys
from types import SimpleNamespace

import pytest

from convcalc.errors import SpecError, UsageError
from convcalc.sources import load, open_network, shipped_names, variants_of
from convcalc.sources.reference import MAX_BYTES, read_reference

NET = "input: [3, 8, 8]\nlayers: [relu]\n"
FAMILY = (
    "vars: {n: 1}\nvariants: {small: {}, large: {n: 3}}\ninput: [3, 8, 8]\n"
    "layers:\n  - {repeat: n, relu: }\n"
)


@pytest.fixture
def stdin(monkeypatch):
    """Put bytes where standard input is read from."""

    def give(raw):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))

    return give


def refused(reference):
    """The one finding against a reference that means nothing."""
    with pytest.raises(UsageError) as caught:
        read_reference(str(reference))
    (finding,) = caught.value.findings
    return finding


class TestPaths:
    def test_a_path_is_read(self, spec):
        path = spec(NET, "small.yaml")
        found = read_reference(str(path))
        assert (found.text, found.variant, found.stem) == (NET, None, "small")
        assert found.source.name == str(path)

    def test_it_is_kept_as_the_user_wrote_it(self, spec, monkeypatch):
        monkeypatch.chdir(spec(NET, "net.yaml").parent)
        assert read_reference("./net.yaml::a").source.path == "./net.yaml"

    def test_what_follows_two_colons_is_a_variant(self, spec):
        assert read_reference(f"{spec(NET)}::resnet50").variant == "resnet50"

    def test_a_variant_may_hold_colons_but_not_be_lost(self, spec):
        assert read_reference(f"{spec(NET)}::a::b").variant == "a::b"

    def test_any_ending_will_do(self, spec):
        assert read_reference(str(spec(NET, "net.txt"))).stem == "net"

    def test_a_byte_order_mark_is_no_part_of_the_text(self, tmp_path):
        path = tmp_path / "net.yaml"
        path.write_bytes(b"\xef\xbb\xbf" + NET.encode())
        assert read_reference(str(path)).text == NET

    def test_a_file_of_the_largest_size_is_read(self, tmp_path):
        path = tmp_path / "net.yaml"
        path.write_bytes(b"#" * MAX_BYTES)
        assert len(read_reference(str(path)).text) == MAX_BYTES


class TestShippedNetworks:
    def test_there_are_some(self):
        assert "resnet" in shipped_names()

    def test_their_names_are_sorted(self):
        assert list(shipped_names()) == sorted(shipped_names())

    def test_a_name_means_the_shipped_file(self):
        found = read_reference("resnet::resnet50")
        assert (found.stem, found.variant) == ("resnet", "resnet50")
        assert found.source.name == "specs/resnet.yaml"
        assert found.source.path is None

    def test_a_file_of_that_name_comes_first(self, spec, monkeypatch):
        monkeypatch.chdir(spec(NET, "resnet").parent)
        assert read_reference("resnet").text == NET


class TestStandardInput:
    def test_a_dash_means_standard_input(self, stdin):
        stdin(NET.encode())
        found = read_reference("-")
        assert (found.text, found.stem, found.source.name) == (NET, "network", "<stdin>")
        assert found.source.path is None

    def test_its_variants_can_be_named(self, stdin):
        stdin(FAMILY.encode())
        assert len(load("-::large").layers) == 3

    def test_it_is_bounded_too(self, stdin):
        stdin(b"#" * (MAX_BYTES + 1))
        finding = refused("-")
        assert finding.code.id == "E006"
        assert finding.message == "<stdin> has more than 1,048,576 bytes"


class TestWhatIsNoSpec:
    def test_a_missing_file(self, tmp_path):
        finding = refused(tmp_path / "net.yaml")
        assert finding.code.id == "E001"
        assert "net.yaml" in finding.message
        assert "`convcalc specs`" in finding.help
        assert finding.place is None

    def test_a_mistyped_file(self, spec):
        path = spec(NET, "mobile.yaml")
        assert refused(path.with_name("moble.yaml")).help == f"did you mean '{path}'?"

    def test_a_mistyped_shipped_name(self):
        assert refused("rasnet").help == "did you mean 'resnet'?"

    def test_a_folder_that_is_not_there(self, tmp_path):
        assert refused(tmp_path / "no" / "such" / "net.yaml").code.id == "E001"

    @pytest.mark.parametrize("reference", ["", "::", "::resnet50"])
    def test_no_name_at_all(self, reference, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert refused(reference).code.id in {"E001", "E002"}

    def test_a_name_that_no_file_can_have(self):
        assert refused("a\0b").code.id == "E001"

    def test_a_name_longer_than_any_file_has(self):
        assert refused("x" * 10_000).code.id in {"E001", "E005"}

    def test_a_directory(self, tmp_path):
        finding = refused(tmp_path)
        assert finding.code.id == "E002"
        assert finding.help is None

    def test_a_directory_with_specs_names_one(self, spec):
        path = spec(NET, "a.yaml")
        spec(NET, "b.yml")
        assert refused(path.parent).help == f"name a file in it, such as {path}"

    def test_a_binary_file(self, tmp_path):
        path = tmp_path / "model.onnx"
        path.write_bytes(b"\x08\x07\x12\x00\x00pytorch")
        finding = refused(path)
        assert finding.code.id == "E003"
        assert finding.message.endswith("model.onnx is not a text file: byte 3 is zero")

    @pytest.mark.parametrize(
        ("encoding", "said"),
        [
            ("latin-1", "net.yaml:2: byte 0xf6 is not UTF-8"),
            ("cp1252", "net.yaml:2: byte 0xf6 is not UTF-8"),
            ("utf-16", "net.yaml is UTF-16, not UTF-8"),
        ],
    )
    def test_another_encoding(self, tmp_path, encoding, said):
        path = tmp_path / "net.yaml"
        path.write_bytes("# eins\nname: größe\n".encode(encoding))
        finding = refused(path)
        assert finding.code.id == "E004"
        assert finding.message.endswith(said)
        assert finding.help == "save the file as UTF-8"

    def test_a_file_that_is_too_large(self, tmp_path):
        path = tmp_path / "net.yaml"
        path.write_bytes(b"#" * (MAX_BYTES + 1))
        finding = refused(path)
        assert finding.code.id == "E006"
        assert "repeat" in finding.help

    def test_a_file_that_cannot_be_opened(self, spec, monkeypatch):
        path = spec(NET)

        def no(*_args, **_options):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.open", no)
        finding = refused(path)
        assert finding.code.id == "E005"
        assert finding.message == f"'{path}' cannot be read: Permission denied"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
    def test_a_pipe_is_not_waited_for(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        assert refused(path).code.id == "E001"


class TestLoading:
    def test_a_graph_knows_what_it_was_read_from(self, spec):
        path = spec(NET, "tiny.yaml")
        graph = load(str(path))
        assert (graph.name, graph.spec) == ("tiny", str(path))

    def test_the_first_variant_is_meant_unless_one_is_named(self, spec):
        path = spec(FAMILY)
        assert load(str(path)).name == "small"
        assert load(str(path)).spec == f"{path}::small"
        assert len(load(f"{path}::large").layers) == 3

    def test_all_variants_of_a_family(self, spec):
        path = spec(FAMILY)
        assert [graph.spec for graph in variants_of(str(path))] == [
            f"{path}::small",
            f"{path}::large",
        ]

    def test_one_variant_if_one_is_named(self, spec):
        assert [g.name for g in variants_of(f"{spec(FAMILY)}::large")] == ["large"]

    def test_one_network_if_there_are_no_variants(self, spec):
        assert [g.name for g in variants_of(str(spec(NET)))] == ["net"]

    def test_settings_reach_every_variant(self, spec):
        graphs = variants_of(str(spec(FAMILY)), {"n": "2 + 2"})
        assert [len(graph.layers) for graph in graphs] == [4, 4]

    def test_findings_of_all_variants_come_together(self, spec):
        path = spec(
            "vars: {c: 1, k: 1}\nvariants: {a: {c: 0}, b: {}, c: {k: 0}, d: {c: 0}}\n"
            "input: [3, 8, 8]\nlayers:\n  - conv: {out_channels: c, kernel_size: k}\n"
        )
        graphs = []
        with pytest.raises(SpecError) as caught:
            graphs.extend(variants_of(str(path)))
        assert [finding.place.column for finding in caught.value.findings] == [26, 42]

    def test_an_unknown_variant(self, spec):
        path = spec(FAMILY)
        with pytest.raises(SpecError) as caught:
            load(f"{path}::lage")
        (finding,) = caught.value.findings
        assert finding.code.id == "E401"
        assert finding.message == f"{path} has no variant `lage`"
        assert finding.help == "did you mean `large`?"

    def test_a_variant_of_a_network_without_variants(self, spec):
        with pytest.raises(SpecError) as caught:
            load(f"{spec(NET)}::tiny")
        assert caught.value.findings[0].help == "there are none"

    def test_a_file_says_what_it_holds_before_anything_is_built(self, spec):
        file, found = open_network(str(spec("source: a paper\n" + FAMILY)))
        assert file.variants == ("small", "large")
        assert file.source == "a paper"
        assert file.findings == ()
        assert found.variant is None

    def test_a_broken_file_says_so_too(self, spec):
        file, _ = open_network(str(spec("input: [3\n")))
        assert [finding.code.id for finding in file.findings] == ["E010"]
        assert (file.variants, file.source) == ((), None)
