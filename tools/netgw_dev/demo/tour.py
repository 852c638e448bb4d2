"""The story: create, rotate the key, lose a peer, delete. Each step is observed in Kubernetes and in the cloud."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from netgw_dev.demo.cloud import Call, Cloud
from netgw_dev.demo.screen import Look, Rows, Screen
from netgw_dev.demo.stage import DELAY, ROOT, SAMPLE, Item, Stage, guarded, open_stage
