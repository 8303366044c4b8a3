"""The reference engine: chapter 3 of the rulebook in plain Python, to be compared with the kernel."""

from matching.reference.engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
