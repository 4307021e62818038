"""The command line: parses, calls, prints. One small file a wing."""

from cistron.cli.main import main, program

__all__ = ["main", "program"]
