"""Files in and out: workloads, sites and prices read with every fault named; plans written."""
