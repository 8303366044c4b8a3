"""The plan as one HTML file that needs nothing else: map, cost bridge, Gantt chart, curves, proof."""
