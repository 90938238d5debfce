"""The check of a written folder by Node, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from rushlight.base.errors import OperationError

_SCRIPT = """
const { load } = await import(process.argv[1]);
try {
  console.log((await load()).selftest());
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
"""


def check(folder: Path) -> float | None:
    """Runs a folder's golden examples in Node; the largest difference, or None without Node.

    Raises:
        RuntimeError: the answers differ, or a file is damaged.
    """
    node = shutil.which("node")
    if node is None:
        return None
    url = (folder.resolve() / "model.js").as_uri()
    command = [node, "--input-type=module", "--eval", _SCRIPT, "--", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperationError("export", f"{folder} does not pass its check: {done.stderr.strip()}")
    return float(done.stdout)
