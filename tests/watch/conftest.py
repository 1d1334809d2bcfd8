from __future__ import annotations

import sys
from pathlib import Path

# The small city of the rules' tests and the receivers of paging's serve here as well.
sys.path += [str(Path(__file__).parent.parent / room) for room in ("rules", "paging")]
