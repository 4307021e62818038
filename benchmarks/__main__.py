"""Run benchmarks by name, or all of them. Each is a module with ``main()`` that prints one table.

``python -m benchmarks [NAME ...]``; the printed tables are also kept in ``benchmarks/results/NAME-DATE.txt``.
"""

import contextlib
import datetime
import importlib
import io
import pkgutil
import platform
import sys
from pathlib import Path

import benchmarks


class _Tee(io.StringIO):
    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)


def run() -> int:
    """Run the benchmarks named on the command line."""
    known = sorted(
        module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__"
    )
    wanted = sys.argv[1:] or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    for name in wanted:
        today = datetime.date.today().isoformat()
        out = _Tee()
        with contextlib.redirect_stdout(out):
            print(f"# {name}, {today}, {platform.machine()}, `python -m benchmarks {name}`")
            importlib.import_module(f"benchmarks.{name}").main()
        (results / f"{name}-{today}.txt").write_text(out.getvalue())
    return 0


sys.exit(run())
