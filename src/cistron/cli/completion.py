"""``cistron completion``: completion of commands and options in a shell."""

import sys
from typing import Literal

from cyclopts import App

app = App(name="completion", help="Print a completion script for a shell.")


@app.default
def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print a completion script for a shell.

    For bash: ``cistron completion bash > ~/.local/share/bash-completion/completions/cistron``. For zsh: the same into
    a file ``_cistron`` in a folder of ``$fpath``. For fish: into ``~/.config/fish/completions/cistron.fish``.

    Parameters
    ----------
    shell
        Which shell.
    """
    from cistron.cli.main import app as program

    sys.stdout.write(program.generate_completion(shell=shell))
