"""``python -m cistron`` is the command ``cistron``."""

import sys

from cistron.cli import main

sys.exit(main())
