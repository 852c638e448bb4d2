"""A command on a kind cluster that is made for it and goes with it.

    python -m netgw_dev.kind python -m pytest tests/e2e

The command finds the cluster in NETGW_TEST_KUBECONFIG, as every test does.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Ends with the status of the command."""
    if missing := [tool for tool in ("kind", "docker", "kubectl") if shutil.which(tool) is None]:
        sys.exit(f"netgw: not tested on kind, for {' and '.join(missing)} cannot be found")
    name = f"netgw-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory(prefix="netgw-kind-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        where = ["--name", name, "--kubeconfig", str(kubeconfig)]
        try:
            subprocess.run(["kind", "create", "cluster", "--wait", "120s", *where], check=True)
            environment = {**os.environ, "NETGW_TEST_KUBECONFIG": str(kubeconfig)}
            status = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
        except subprocess.CalledProcessError as error:
            status = error.returncode
        finally:
            subprocess.run(["kind", "delete", "cluster", *where], check=False)
    sys.exit(status)


if __name__ == "__main__":
    main()
