"""`convcalc init`: what it writes can be analyzed as it stands, and nothing is lost by it."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from convcalc.sources import spec_schema

SCHEMA_LINE = "# yaml-language-server: $schema="


def schema_of(path):
    """The schema that an editor finds by the first line of a spec."""
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    assert first.startswith(SCHEMA_LINE)
    return path.parent / first.removeprefix(SCHEMA_LINE)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """A folder with what `convcalc init` writes."""
    folder = tmp_path_factory.mktemp("new")
    done = run("init", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")
    return folder


class TestTheSpec:
    def test_it_can_be_analyzed_as_it_stands(self, folder, run):
        done = run("analyze", "net.yaml", "--format", "json", cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        (network,) = json.loads(done.stdout)["networks"]
        assert network["name"] == "net"
        assert network["layers"][-1]["output_shape"] == [10]
        # A separable convolution from c to d channels has 9·c weights, and 2·c numbers of a norm;
        # then c·d weights and 2·d: s(c, d) = 11·c + c·d + 2·d.
        # stem: 27·16 + 2·16 = 464
        # s(16, 32) + s(32, 32) = 752 + 1,440; s(32, 64) + s(64, 64) = 2,528 + 4,928;
        # s(64, 128) + s(128, 128) = 9,152 + 18,048; classifier: 128·10 + 10 = 1,290
        assert network["totals"]["params"] == 464 + 2_192 + 7_456 + 27_200 + 1_290

    def test_it_is_within_the_budget_that_it_shows_and_wider_it_is_not(self, folder, run):
        assert run("check", "net.yaml", cwd=folder).returncode == 0
        done = run("check", "net.yaml", "--set", "width=2", cwd=folder)
        assert done.returncode == 1
        assert "exceed" in done.stdout

    def test_it_teaches_the_language_in_few_lines(self, folder):
        text = (folder / "net.yaml").read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60
        assert max(map(len, text.splitlines())) <= 100
        spec = yaml.safe_load(text)
        assert {"vars", "input", "blocks", "layers", "budget"} <= set(spec)
        assert spec["blocks"]["separable"]["args"] == {"out_channels": None, "stride": 1}
        for word in ("for:", "residual:", "name:", "channels * width"):
            assert word in text

    def test_every_idea_has_a_comment_above_it(self, folder):
        lines = (folder / "net.yaml").read_text(encoding="utf-8").splitlines()
        for start in ("vars:", "input:", "blocks:", "layers:", "  - for:", "      - residual:"):
            (at,) = (number for number, line in enumerate(lines) if line.startswith(start))
            assert lines[at - 1].lstrip().startswith("# "), start

    def test_an_editor_finds_a_schema_by_its_first_line_that_it_fits(self, folder):
        schema = json.loads(schema_of(folder / "net.yaml").read_text(encoding="utf-8"))
        assert schema == spec_schema()
        spec = yaml.safe_load((folder / "net.yaml").read_text(encoding="utf-8"))
        jsonschema.validate(spec, schema)
        spec["layers"][0]["conv"]["kernel"] = 3
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spec, schema)


class TestWhere:
    def test_it_says_what_it_wrote_and_what_to_do_next(self, run, tmp_path):
        done = run("init", "my net.yaml", cwd=tmp_path)
        assert done.stderr.splitlines() == [
            "wrote my net.yaml",
            "wrote convcalc.schema.json, for editors",
            "Try: convcalc analyze 'my net.yaml'",
        ]
        assert run("analyze", "my net.yaml", cwd=tmp_path).returncode == 0

    def test_a_dash_is_standard_output_and_writes_no_file(self, run, tmp_path, folder):
        done = run("init", "-", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (folder / "net.yaml").read_text(encoding="utf-8")
        assert list(tmp_path.iterdir()) == []

    def test_the_schema_is_written_beside_a_pipe_if_that_is_asked_for(self, run, tmp_path):
        done = run("init", "-", "--schema", "s.json", cwd=tmp_path)
        assert done.stdout.startswith(f"{SCHEMA_LINE}s.json\n")
        assert [path.name for path in tmp_path.iterdir()] == ["s.json"]

    def test_the_schema_may_be_elsewhere(self, run, tmp_path):
        (tmp_path / "nets").mkdir()
        (tmp_path / "the schemas").mkdir()
        place = "the schemas/convcalc.json"
        done = run("init", "nets/small.yaml", "--schema", place, cwd=tmp_path)
        assert done.returncode == 0
        first = (tmp_path / "nets" / "small.yaml").read_text(encoding="utf-8").split("\n")[0]
        # The line ends at a space.
        assert first == f"{SCHEMA_LINE}../the%20schemas/convcalc.json"
        assert json.loads((tmp_path / place).read_text(encoding="utf-8")) == spec_schema()

    def test_it_may_be_left_out(self, run, tmp_path):
        assert run("init", "--no-schema", cwd=tmp_path).returncode == 0
        assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
        assert "yaml-language-server" not in (tmp_path / "net.yaml").read_text(encoding="utf-8")

    def test_one_that_is_there_serves_for_the_next_spec_too(self, run, tmp_path):
        run("init", cwd=tmp_path)
        (tmp_path / "convcalc.schema.json").write_text("{}")
        done = run("init", "second.yaml", cwd=tmp_path)
        assert done.returncode == 0
        assert "kept convcalc.schema.json, for editors\n" in done.stderr
        assert (tmp_path / "convcalc.schema.json").read_text() == "{}"


def test_who_has_no_spec_yet_is_told_of_it(run, tmp_path):
    done = run("analyze", "net.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert " = help: `convcalc init` writes a spec" in done.stderr


class TestWhatIsThere:
    def test_a_file_that_exists_is_left_as_it_is(self, run, tmp_path):
        (tmp_path / "net.yaml").write_text("mine")
        done = run("init", cwd=tmp_path)
        assert done.returncode == 2
        assert "error[E403]: 'net.yaml' cannot be written: it exists" in done.stderr
        assert "--force" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
        assert (tmp_path / "net.yaml").read_text() == "mine"

    def test_so_is_a_link_that_leads_nowhere(self, run, tmp_path):
        (tmp_path / "net.yaml").symlink_to("elsewhere.yaml")
        assert run("init", cwd=tmp_path).returncode == 2
        assert not (tmp_path / "elsewhere.yaml").exists()

    def test_unless_it_is_to_be_written_over(self, run, tmp_path, folder):
        for name in ("net.yaml", "convcalc.schema.json"):
            (tmp_path / name).write_text("mine")
        assert run("init", "--force", cwd=tmp_path).returncode == 0
        for name in ("net.yaml", "convcalc.schema.json"):
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("nowhere/net.yaml",), "No such file or directory"),
            (("net.yaml", "--schema", "nowhere/schema.json"), "No such file or directory"),
            (("net.yaml", "--schema", "net.yaml"), "written twice"),
            (("folder", "--force"), "it is a directory"),
            (("net.yaml", "--schema", "folder"), "it is a directory"),
            (("net.yaml::small",), "names a variant, not a file"),
            (("--schema", "a.json", "--no-schema"), "leave one of them out"),
            (("--from", "resnt"), "did you mean 'resnet'?"),
            (("--from", "nothing_like_it"), "`convcalc specs` lists those that do"),
            (("--from", "resnet::resnet51"), "did you mean 'resnet50'?"),
            (("--from", "lenet5::small"), "lenet5 has no variant 'small'"),
        ],
    )
    def test_what_cannot_be_written_leaves_nothing_behind(self, arguments, said, run, tmp_path):
        (tmp_path / "folder").mkdir()
        done = run("init", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


class TestFrom:
    def test_a_shipped_network_is_one_to_start_from(self, run, tmp_path):
        done = run("init", "mine.yaml", "--from", "resnet::resnet18", cwd=tmp_path)
        assert done.returncode == 0
        assert done.stderr.endswith("Try: convcalc analyze mine.yaml::resnet18\n")
        done = run("analyze", "mine.yaml::resnet18", "--format", "json", cwd=tmp_path)
        totals = json.loads(done.stdout)["networks"][0]["totals"]
        assert totals["params"] == 11_689_512  # torchvision's
        assert schema_of(tmp_path / "mine.yaml").is_file()

    def test_its_text_is_the_shipped_one(self, run, tmp_path):
        done = run("init", "-", "--no-schema", "--from", "lenet5", cwd=tmp_path)
        shipped = Path(__file__).parent.parent / "specs" / "lenet5.yaml"
        assert done.stdout == shipped.read_text(encoding="utf-8")

    def test_a_file_of_that_name_is_not_taken_for_it(self, run, tmp_path):
        (tmp_path / "lenet5").write_text("mine")
        assert "mine" not in run("init", "-", "--from", "lenet5", cwd=tmp_path).stdout
