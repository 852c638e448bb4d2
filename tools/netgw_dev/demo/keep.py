"""KEEP=1: everything stays up for playing, until Ctrl-C."""

from __future__ import annotations

import contextlib
import shutil
import time

from netgw_dev.demo.screen import Screen
from netgw_dev.demo.stage import Stage


def hold(screen: Screen, stage: Stage) -> None:
    """Say what can be tried, then wait for Ctrl-C. Raises Missed when a player ends meanwhile."""
    tunnel = stage.tunnels()[-1]
    with contextlib.suppress(KeyboardInterrupt):
        screen.heading("It is yours. In another terminal:")
        screen.say()
        screen.say(*_hints(stage, tunnel.name, tunnel.uuid))
        screen.heading("Ctrl-C here ends it and removes everything.")
        while True:
            time.sleep(1)
            stage.check()


def _hints(stage: Stage, name: str, uuid: str) -> list[str]:
    url, access = stage.cloud.url, stage.access
    own = [] if shutil.which("kubectl") else [f"  alias kubectl={access.kubectl_binary}"]
    return [
        f"  export KUBECONFIG={access.kubeconfig}",
        *own,
        "  kubectl get netgw -o wide",
        f"  kubectl describe vpnt {name}",
        "  kubectl explain vpnt.spec.ipsec",
        "  kubectl delete vpnt --all                     # and: kubectl apply -f deploy/samples/",
        "",
        f"  SIMULATOR={url}",
        "  curl -s $SIMULATOR/_sim/calls                 # every request of the operator",
        f"  TUNNEL=$SIMULATOR/_sim/tunnels/{uuid}",
        """  curl $TUNNEL -d '{"operational_state": "connecting", "last_down_message": "AUTHENTICATION_FAILED"}'""",
        "  curl $TUNNEL -d '{}'                          # and back; more in docs/simulator.md",
        "",
        f"  tail -f {stage.operator.log}",
    ]
