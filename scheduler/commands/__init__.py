"""`dongxi plan`: workloads in, a certified plan out."""
