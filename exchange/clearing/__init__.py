"""What happens to money and positions: trades folded into accounts, settlement, cascade, delivery. Pure."""
