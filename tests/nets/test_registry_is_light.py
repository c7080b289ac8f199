"""The tables of nets, losses and checks can be read where torch is not installed."""

import subprocess
import sys


def test_naming_the_parts_does_not_load_torch():
    code = (
        "import sys, isthmus.testing; from isthmus.nets import NETS; from isthmus.losses import LOSSES; "
        "assert len(NETS) >= 3 and len(LOSSES) >= 7; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
