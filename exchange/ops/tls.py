"""TLS for the listeners: TLS 1.2 or newer, certificate and key from PEM files, read again on SIGHUP."""

from __future__ import annotations

import ssl
from pathlib import Path


class TlsError(Exception):
    """The certificate or its key can't be used; the sentence names the files and says what is wrong."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a server's context. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, certificate, key)
    return context


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Make new connections use what the files hold now. Raises TlsError; then nothing has changed."""
    for file in (certificate, key):
        if not file.is_file():
            raise TlsError(f"there is no file {file}; tls_certificate and tls_key name PEM files")
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for target in (probe, context):
        try:
            target.load_cert_chain(certificate, key)
        except (ssl.SSLError, OSError) as error:
            raise TlsError(
                f"{certificate} and {key} are not a certificate chain and its unencrypted key in PEM "
                f"({error.strerror or error})"
            ) from None
