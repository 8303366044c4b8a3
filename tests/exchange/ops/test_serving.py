"""`dongxi up` as a process: TLS, a certificate renewed, and a drain that loses nothing."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DONGXI = str(Path(sys.executable).with_name("dongxi"))


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


@contextmanager
def running(folder: Path, *flags: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `dongxi up` on a free port; yields the process and the address that it printed."""
    file = folder / "settings.toml"
    values = {"data": str(folder / "data"), **settings}
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    process = subprocess.Popen(
        [DONGXI, "up", "--config", str(file), "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Dongxi serves "), process.communicate()
        yield process, line.split()[2].rstrip("/")
    finally:
        process.kill()
        process.communicate()


def peer_name(url: str, chain: Path) -> str:
    """Connect over TLS trusting `chain` only; return the common name that the server shows, or why not."""
    context = ssl.create_default_context(cafile=str(chain))
    host, port = url.removeprefix("https://").split(":")
    try:
        with (
            socket.create_connection((host, int(port)), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert()
    except ssl.SSLError as error:
        return str(error)
    assert shown is not None
    return str(dict(part[0] for part in shown["subject"])["commonName"])  # type: ignore[index,misc]


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_tls_serves_the_certificate_and_its_successor(tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path, "first")
    settings = {"tls_certificate": str(chain), "tls_key": str(key)}
    with running(tmp_path, **settings) as (process, url):
        assert url.startswith("https://")
        assert peer_name(url, chain) == "first"
        trusting = ssl.create_default_context(cafile=str(chain))
        with urllib.request.urlopen(url + "/livez", timeout=30, context=trusting) as answer:
            assert answer.status == 200
        with pytest.raises(OSError):
            urllib.request.urlopen(url.replace("https", "http") + "/livez", timeout=30)

        make_certificate(tmp_path, "second")
        process.send_signal(signal.SIGHUP)
        until(lambda: peer_name(url, chain) == "second")

        key.write_text("not a key")
        process.send_signal(signal.SIGHUP)
        log = tmp_path / "data/log/dongxi.log"
        until(lambda: "the old one stays" in log.read_text(encoding="utf-8"))
        assert peer_name(url, chain) == "second"


@pytest.mark.parametrize(
    ("settings", "code", "sentence"),
    [
        ({"tls_certificate": "/nowhere/chain.pem", "tls_key": "/nowhere/key.pem"}, 1, "/nowhere/chain.pem"),
        ({"tls_certificate": "chain.pem"}, 2, "belong together"),
    ],
)
def test_wrong_tls_settings_are_said(
    tmp_path: Path, settings: dict[str, str], code: int, sentence: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    done = subprocess.run(
        [DONGXI, "up", "--config", str(file), "--data", str(tmp_path / "data"), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as (process, _):
        process.send_signal(number)
        assert process.wait(30) == 0
    said = [json.loads(line)["event"] for line in (tmp_path / "data/log/dongxi.log").read_text().splitlines()]
    assert said.index("opened") < said.index("draining") < said.index("closed")
