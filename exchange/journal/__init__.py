"""The journal: append-only frames on disk, group commit, start-up recovery."""
