"""``python -m cistron.cli`` is the command ``cistron``."""

from cistron.cli.main import program

program()
