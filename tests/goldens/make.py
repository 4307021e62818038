"""Write the goldens. By hand, after a change that was meant; see README.md.

python tests/goldens/make.py                            all commands, and what reading the artefacts gives
python tests/goldens/make.py --command "omics embed"    one command
python tests/goldens/make.py --readings                 what reading the artefacts gives
python tests/goldens/make.py --artefacts FOLDER         new artefacts of today's code, into an empty folder
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

from artefacts import READ, read_artefact, write_artefacts
from cases import CASES
from inputs import write_inputs
from running import ARTEFACTS, COMMANDS, command_names, golden_file, run_case

READINGS = COMMANDS.parent / "readings.json"


def _write(path: Path, golden: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sys.stdout.write(f"wrote {path}: {path.stat().st_size:,} bytes\n")


def main() -> None:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--command")
    parser.add_argument("--readings", action="store_true")
    parser.add_argument("--artefacts", type=Path)
    options = parser.parse_args()
    if options.command is not None and options.command not in command_names():
        parser.error(f"no command {options.command!r}; there are {', '.join(command_names())}")
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_inputs(Path(folder) / "inputs")
        if options.artefacts is not None:
            options.artefacts.mkdir(parents=True)
            write_artefacts(options.artefacts.resolve(), inputs)
            return
        if not options.readings:
            for command in [options.command] if options.command else sorted(command_names()):
                golden = {}
                for number, case in enumerate(CASES):
                    if case.command == command:
                        out = Path(folder) / str(number)
                        out.mkdir()
                        golden[case.name] = run_case(case, inputs, out)
                _write(golden_file(command), golden)
        if options.command is None:
            _write(READINGS, {name: read_artefact(name, inputs, ARTEFACTS) for name in READ})


if __name__ == "__main__":
    main()
