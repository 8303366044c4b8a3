"""Operations: the log, the figures for Prometheus, TLS."""
