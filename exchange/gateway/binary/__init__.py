"""The binary gateway: command records in, event records out, over TCP (docs/protocol.md)."""
