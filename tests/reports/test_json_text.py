"""What all JSON that is written has in common."""

import json

from convcalc.reports.json_text import json_text, report_text


def test_a_name_that_is_no_text_is_written_as_an_escape():
    """The bytes of a file's name that are not UTF-8 are lone surrogates in Python."""
    written = json_text({"spec": "\udcff.yaml"})
    assert written == '{\n "spec": "\\udcff.yaml"\n}\n'
    assert json.loads(written.encode()) == {"spec": "\udcff.yaml"}


def test_a_report_says_first_which_contract_it_keeps():
    assert report_text("1.2.3", networks=[]) == (
        '{\n "schema_version": 1,\n "convcalc": "1.2.3",\n "networks": []\n}\n'
    )
