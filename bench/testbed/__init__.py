"""What the benches beside other servers share: servers, windows of measurement, Markdown."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
