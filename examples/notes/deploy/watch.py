"""Serve whatever `deployed/current` leads to: what systemd would do on a server.

Run by the pipeline while it deploys. When the link leads elsewhere, the service is started again
from there; when it ends by itself, after a moment.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CURRENT = Path("deployed/current")
LOOK = 0.05
AGAIN = 0.5


def standing() -> Path | None:
    """Where the link leads now."""
    return CURRENT.resolve() if CURRENT.exists() else None


def start(release: Path) -> subprocess.Popen[bytes]:
    """Start the service from the wheel of a release."""
    wheels = os.pathsep.join(str(wheel) for wheel in release.glob("*.whl"))
    environment = {**os.environ, "PYTHONPATH": wheels}
    return subprocess.Popen([sys.executable, "-m", "notes"], env=environment)


def stop(service: subprocess.Popen[bytes] | None) -> None:
    """End the service and wait until its port is free."""
    if service is not None:
        service.terminate()
        service.wait()


def main() -> None:
    """Watch until stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    served: Path | None = None
    service: subprocess.Popen[bytes] | None = None
    print("watching", flush=True)
    try:
        while True:
            release = standing()
            if release != served:
                stop(service)
                service = start(release) if release else None
                served = release
            elif service is not None and service.poll() is not None:
                served = None
                time.sleep(AGAIN)
            time.sleep(LOOK)
    finally:
        stop(service)


if __name__ == "__main__":
    main()
