"""What a figure depends on besides seatd: the machine, and what else it was doing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

import seatd


def machine() -> dict[str, Any]:
    """For a report: versions, cores, and the load (1, 5 and 15 minutes) at this moment."""
    return {
        "seatd_loadtest": seatd.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    """As the kernel names it; nothing where it does not."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(
                (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), ""
            )
    except OSError:
        return ""
