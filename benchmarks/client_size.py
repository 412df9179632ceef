"""Installs the client alone into a fresh environment; prints its size and how long it imports."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "client"
ROUNDS = 7
IMPORTS = {
    "the records": "import streamer_client",
    "all of it": "from streamer_client import AsyncModels, Clips, Models, Producer",
}


def main() -> None:
    """Print a line per figure."""
    python = installed()
    packages = next((PLACE / "lib").glob("python3.*/site-packages"))
    own, all_of_it = size(packages / "streamer_client"), size(packages)
    print(f"installed: {all_of_it / 1e6:.1f} MB, of which streamer_client {own / 1e6:.2f} MB")
    for folder in sorted(packages.iterdir(), key=size, reverse=True)[:5]:
        print(f"  {size(folder) / 1e6:6.1f} MB  {folder.name}")
    start = seconds(python, "pass")
    for what, program in IMPORTS.items():
        print(f"import of {what}: {seconds(python, program) - start:.2f} s")


def installed() -> Path:
    """The interpreter of a fresh environment that has the client and what it needs, no pip."""
    shutil.rmtree(PLACE, ignore_errors=True)
    venv.create(PLACE, with_pip=False, symlinks=True)
    python = PLACE / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet"]
    options = ["--disable-pip-version-check", "-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, "install", *options, str(ROOT / "clients")], check=True)
    return python


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def seconds(python: Path, program: str) -> float:
    """Median time of a fresh interpreter that runs the program."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([python, "-I", "-c", program], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
