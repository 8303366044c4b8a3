"""The master key: made once, private, and the only one that opens the secrets."""

from __future__ import annotations

import stat

import pytest

from exchange.service.secrets import MasterKey, MasterKeyError, new_key_id, new_secret


def test_a_secret_survives_and_its_ciphertext_tells_nothing(tmp_path):
    """Clause 9.6."""
    path = tmp_path / "keys" / "master.key"
    made = MasterKey.create(path)
    secret = new_secret()
    ciphertext = made.encrypt(secret, "k1")
    assert MasterKey.load(path).decrypt(ciphertext, "k1") == secret
    assert secret not in ciphertext
    assert made.encrypt(secret, "k1") != ciphertext
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_key_another_id_or_a_changed_byte_opens_nothing(tmp_path):
    made, other = MasterKey.create(tmp_path / "a"), MasterKey.create(tmp_path / "b")
    ciphertext = made.encrypt(new_secret(), "k1")
    changed = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    for key, text, key_id in ((other, ciphertext, "k1"), (made, ciphertext, "k2"), (made, changed, "k1")):
        with pytest.raises(MasterKeyError, match="wasn't encrypted"):
            key.decrypt(text, key_id)


def test_a_key_file_is_never_overwritten_and_a_wrong_one_is_named(tmp_path):
    path = tmp_path / "master.key"
    MasterKey.create(path)
    with pytest.raises(FileExistsError):
        MasterKey.create(path)
    path.write_bytes(b"short")
    with pytest.raises(MasterKeyError, match="5 bytes instead of 32"):
        MasterKey.load(path)
    with pytest.raises(MasterKeyError, match="missing"):
        MasterKey.load(tmp_path / "absent")


def test_ids_differ():
    assert len({new_key_id() for _ in range(100)}) == 100
