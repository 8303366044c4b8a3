"""Benchmarks: one module a benchmark, each side by side with what a user would pick instead."""
