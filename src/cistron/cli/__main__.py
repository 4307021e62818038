"""``python -m cistron.cli`` is the command ``cistron``."""

import sys

from cistron.cli.main import main

sys.exit(main())
