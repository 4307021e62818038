"""Every command with every input damaged in every way, and every number out of its range (tests/bad_input/matrix.py)."""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "bad_input"))


def main() -> None:
    """Print counts by command, then all that is neither one clear line nor an acceptance."""
    from matrix import Outcome, Try, outcomes

    bad: list[str] = []

    def report(one: Try, outcome: Outcome) -> None:
        if outcome.kind not in ("error", "accepted"):
            bad.append(f"{one.command} | {one.what} | {one.damage} | {outcome.kind} | {outcome.said!r:.300}")
            sys.__stderr__.write(bad[-1] + "\n")

    found = outcomes(report=report)
    kinds = ["error", "accepted", "traceback", "crash", "several lines", "left something", "hangs"]
    print(f"{'command':<26}" + "".join(f"{kind:>16}" for kind in kinds))
    by_command: dict[str, Counter[str]] = {}
    for one, outcome in found:
        by_command.setdefault(one.command, Counter())[outcome.kind] += 1
    for command, counts in [*by_command.items(), ("all", sum(by_command.values(), Counter()))]:
        print(f"{command:<26}" + "".join(f"{counts[kind]:>16,}" for kind in kinds))
    for line in bad:
        print(line)
