"""The tutorial's three stages on handwritten digits: learn clamped, learn at 4 bits, prove the integer network.

``make demo`` runs this. Everything is written into ``demo/``; nothing is downloaded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "demo"
STAGES = (
    ("Digits_clamp.ini", ["-seed", "1", "-learn-epoch", "30"]),
    ("Digits_4bit.ini", ["-seed", "1", "-learn-epoch", "30", "-w", "weights_clamped"]),
    ("Digits_4bit.ini", ["-test", "-qat-sat", "-w", "weights"]),
)


def main() -> int:
    """Run the stages one after the other; returns the first exit status that is not 0."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name in {name for name, _ in STAGES}:
        shutil.copy(ROOT / "models" / name, FOLDER)
    for number, (name, options) in enumerate(STAGES, 1):
        words = [name, *options]
        print(f"\n=== stage {number} of {len(STAGES)}: n2d2py {' '.join(words)}", flush=True)
        status = subprocess.run([sys.executable, "-m", "n2d2py", *words], cwd=FOLDER, check=False).returncode
        if status != 0:
            return status
        if number == 1:
            (FOLDER / "weights").rename(FOLDER / "weights_clamped")
            print("=== weights/ is now weights_clamped/, from which the next stage starts")
    print("\nPictures, in demo/:")
    for picture in sorted(FOLDER.rglob("*.png")):
        print(f"  {picture.relative_to(FOLDER)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
