"""Where compute is: national nodes, hubs, grades, network latency, power price and carbon."""
