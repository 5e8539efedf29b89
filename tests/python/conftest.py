"""What many tests need: a clock that stands still, a History in memory, actions to record, a server with TLS."""

import os
import pathlib
import shutil
import ssl
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from http_server import Server

import actionhist

NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)


class FixedClock:
    def __init__(self):
        self.time = NOON

    def __call__(self):
        return self.time

    def advance(self, **by):
        self.time += timedelta(**by)
        return self.time


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def history(clock):
    with actionhist.open("memory:", clock=clock) as h:
        yield h


@pytest.fixture
def restart():
    """A function that makes an action; keyword arguments replace or add fields."""

    def make(action_id=None, **fields):
        return {
            "action_id": action_id,
            "action_type": "restart_deployment",
            "action_timestamp": NOON,
            "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"},
            "alert_name": "KubePodCrashLooping",
            "alert_severity": "critical",
            "model_reasoning": "The pod crashes after each start; a restart may clear it.",
            **fields,
        }

    return make


@pytest.fixture
def scale():
    def make(before, after, **fields):
        return {
            "action_type": "scale_deployment",
            "resource_reference": {"kind": "Deployment", "namespace": "prod", "name": "web"},
            "action_parameters": {"replicas": after},
            "resource_state_before": {"replicas": before},
            **fields,
        }

    return make


@pytest.fixture
def data():
    """A function that gives the path of a file of the shared data, or skips the test."""
    default = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = pathlib.Path(os.environ.get("ACTIONHIST_DATA", default))

    def path(name):
        if not (folder / name).exists():
            pytest.skip(f"needs {folder / name}; ACTIONHIST_DATA names another folder")
        return folder / name

    return path


@pytest.fixture
def tls_server(tmp_path):
    """A function that starts a server called localhost, which proves itself by tmp_path / "cert.pem"."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         key, "-out", cert, "-days", "3650", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    running = []

    def start(usual):
        running.append(Server(usual, context))
        return running[-1]

    yield start
    for server in running:
        server.close()
