"""The chromatin part of the demo recovers what was planted."""

from cistron.cli.demo_chromatin import run as run_part
from cistron.report import build_report


def test_the_part_recovers_the_planted_rules(tmp_path):
    found = run_part(tmp_path / "chromatin", 0)
    across = found["across"]
    assert across["network"] > across["ridge"] + 0.1
    assert abs(across["network, permuted"]) < 0.2
    assert found["true_share"] > 0.6
    page = build_report(found["folders"], tmp_path / "report.html").read_text()
    assert "What histone marks do" in page
