"""What a rendered pod says, started as a process: command, environment, mounts and the token of its ServiceAccount.

| of the pod                        | here                                                                           |
|-----------------------------------|--------------------------------------------------------------------------------|
| command, args                     | the same words; `netgw` is that of the virtual environment                     |
| environment, Secrets, ConfigMaps  | as a kubelet resolves them, from the API server                                |
| credentials of its ServiceAccount | of a TokenRequest, in the folder that pods have, by a mount namespace; where   |
|                                   | none can be had, by a kubeconfig that names the same files (`CREDENTIALS`)     |
| mounts                            | a folder each; what names their path in environment and arguments is rewritten |
| probes                            | at its own port, on 127.0.0.1                                                  |

Not played: the image, the user, capabilities, seccomp, the read-only root file system, limits, the network policy, and
the kubelet's exchange of the token when most of its hour is over.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from netgw_dev.access import write_private
from support.cluster import Cluster

Body = Mapping[str, Any]

CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_SECONDS = 3607
"""What a kubelet asks for."""
_MOUNT = f'mount -t tmpfs tmpfs /run && mkdir -p {CREDENTIALS} && mount --bind "$0" {CREDENTIALS} && exec "$@"'
_VARIABLE = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Started:
    """What there is to start. `container` is the pod's only one, as rendered."""

    container: Body
    command: tuple[str, ...]
    environment: Mapping[str, str]
    before: tuple[str, ...]
    """Words that go before every command, so that it finds the credentials of the pod."""

    @property
    def argv(self) -> list[str]:
        return self.instead(*self.command[1:])

    def instead(self, *args: str) -> list[str]:
        """The same program with other arguments."""
        return [*self.before, self.command[0], *args]

    def probe(self, name: str) -> str:
        """The URL that a kubelet asks: of livenessProbe or readinessProbe."""
        get = self.container[name]["httpGet"]
        (port,) = (port["containerPort"] for port in self.container["ports"] if port["name"] == get["port"])
        return f"http://127.0.0.1:{port}{get['path']}"


class Kubelet:
    """Gets pods of one namespace ready to start; files are kept in `folder`.

    `mounted`: with credentials where pods have them, if that is possible.
    """

    def __init__(self, cluster: Cluster, namespace: str, folder: Path, *, mounted: bool = True) -> None:
        self._cluster, self._namespace, self._folder, self._mounted = cluster, namespace, folder, mounted

    def prepare(self, spec: Body) -> Started:
        """Of a pod's spec with one container. An AssertionError names what cannot be had, or is not played here."""
        (container,) = spec["containers"]
        places = self._mounts(spec, container)
        credentials = self._credentials(spec["serviceAccountName"]) if spec["automountServiceAccountToken"] else None
        said = self._service() | self._variables(container)
        environment = image() | {name: placed(value, places) for name, value in said.items()}
        if "/tmp" in places:  # noqa: S108  hiding the machine's own would hide more than that
            environment["TMPDIR"] = str(places["/tmp"])  # noqa: S108
        before: list[str] = []
        if credentials is not None:
            before = in_namespace(credentials) if self._mounted else []
            if not before:
                environment.setdefault("KUBECONFIG", str(self._kubeconfig(credentials)))
        words = [placed(word, places) for word in (*container["command"], *container["args"])]
        program = shutil.which(words[0], path=environment["PATH"])
        assert program is not None, f"there is no {words[0]}"
        return Started(container, (program, *words[1:]), environment, tuple(before))

    def _variables(self, container: Body) -> dict[str, str]:
        """The later goes before the earlier, and may refer to it as $(NAME)."""
        found: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            ((kind, reference),) = source.items()
            found |= self._data(kind.removesuffix("Ref"), reference["name"])
        for variable in container.get("env") or ():
            known = self._service() | found
            if "valueFrom" in variable:
                found[variable["name"]] = self._value(variable["valueFrom"])
            else:
                text = variable.get("value", "")
                found[variable["name"]] = _VARIABLE.sub(lambda match: known.get(match[1], match[0]), text)  # noqa: B023
        return found

    def _value(self, source: Body) -> str:
        ((kind, reference),) = source.items()
        if kind == "fieldRef":
            assert reference["fieldPath"] == "metadata.namespace", f"not played: {reference}"
            return self._namespace
        return self._data(kind.removesuffix("KeyRef"), reference["name"])[reference["key"]]

    def _data(self, kind: str, name: str) -> dict[str, str]:
        """Of a `secret` or a `configMap`."""
        assert kind in ("secret", "configMap"), f"not played: {kind}"
        path = f"/api/v1/namespaces/{self._namespace}/{kind.lower()}s/{name}"
        answer = self._cluster.api("GET", path)
        assert answer.is_success, f"{kind} {name} is not there, the pod would not start: {answer.text}"
        data: dict[str, str] = answer.json().get("data") or {}
        return data if kind == "configMap" else {key: base64.b64decode(text).decode() for key, text in data.items()}

    def _mounts(self, spec: Body, container: Body) -> dict[str, Path]:
        volumes = {volume["name"]: volume for volume in spec.get("volumes") or ()}
        places = {}
        for mount in container.get("volumeMounts") or ():
            folder = self._folder / "volumes" / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in self._files(volumes[mount["name"]]).items():
                write_private(folder / name, text)
            places[mount["mountPath"]] = folder
        return places

    def _files(self, volume: Body) -> dict[str, str]:
        ((kind, source),) = ((key, value) for key, value in volume.items() if key != "name")
        if kind == "emptyDir":
            return {}
        data = self._data(kind, source.get("secretName") or source["name"])
        items = source.get("items")
        return data if items is None else {item["path"]: data[item["key"]] for item in items}

    def _credentials(self, account: str) -> Path:
        """The three files that a pod has of its ServiceAccount."""
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        answer = self._cluster.api("POST", path, json=asked).raise_for_status().json()
        folder = self._folder / "credentials"
        folder.mkdir(exist_ok=True)
        write_private(folder / "token", answer["status"]["token"])
        (folder / "namespace").write_text(self._namespace)
        authority = self._server()["certificate-authority-data"]
        (folder / "ca.crt").write_bytes(base64.b64decode(authority))
        return folder

    def _kubeconfig(self, credentials: Path) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "pod",
                    "cluster": {
                        "server": self._server()["server"],
                        "certificate-authority": str(credentials / "ca.crt"),
                    },
                }
            ],
            "users": [{"name": "pod", "user": {"tokenFile": str(credentials / "token")}}],
            "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod"}}],
            "current-context": "pod",
        }
        path = self._folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    def _server(self) -> dict[str, str]:
        (cluster,) = yaml.safe_load(self._cluster.kubeconfig.read_text())["clusters"]
        return dict(cluster["cluster"])

    def _service(self) -> dict[str, str]:
        """What every pod has, also without service links."""
        host, _, port = self._server()["server"].removeprefix("https://").rpartition(":")
        return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}


def image() -> dict[str, str]:
    """What an image would bring: where netgw is. Nothing else of the environment of the tests."""
    kept = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
    return kept | {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}


def placed(text: str, places: Mapping[str, Path]) -> str:
    """A path below a mount, where it is here; any other text as it is."""
    for path, folder in places.items():
        if text == path or text.startswith(f"{path}/"):
            return f"{folder}{text.removeprefix(path)}"
    return text


def in_namespace(credentials: Path) -> list[str]:
    """Words that start a program where it sees these files as a pod does; [] where that is not possible."""
    unshare = () if credentials.resolve().is_relative_to("/run") else _unshare()
    return [*unshare, "sh", "-c", _MOUNT, str(credentials)] if unshare else []


@cache
def _unshare() -> Sequence[str]:
    """A mount namespace of one's own: as root, or as a user who may make a user namespace."""
    if sys.platform != "linux" or Path("/var/run").resolve() != Path("/run"):
        return ()
    for words in (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount")):
        program = shutil.which(words[0])
        if program is None:
            return ()
        tried = [program, *words[1:], "sh", "-c", "mount -t tmpfs tmpfs /run"]
        if subprocess.run(tried, capture_output=True, check=False, timeout=30).returncode == 0:
            return (program, *words[1:])
    return ()
