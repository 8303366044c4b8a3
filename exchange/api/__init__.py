"""The public protocol: what the gateway and its clients share (structs, codes, signing, formats)."""
