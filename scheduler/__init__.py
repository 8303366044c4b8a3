"""Placement of workloads on sites: latency, capacity and residency respected, cost minimised."""
