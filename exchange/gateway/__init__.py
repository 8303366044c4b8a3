"""The gateway: HTTP and WebSocket in front of the exchange. It translates; it holds no market state."""
