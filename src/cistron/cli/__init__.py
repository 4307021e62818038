"""The command line: parses, calls, prints. One small file a wing."""

import sys

from cistron.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
