"""What the systems do differently: one interface, one implementation for each system (docs/platforms.md).

Nothing else in the package opens descriptors, locks, syncs or renames files, looks at processes, or asks a terminal.
"""

import sys

if sys.platform == "win32":
    from orvideo.system.windows import *  # noqa: F403
else:
    from orvideo.system.posix import *  # noqa: F403
