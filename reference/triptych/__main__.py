"""``python -m triptych`` is the ``triptych`` command."""

import sys

from triptych.cli import main

sys.exit(main())
