"""The members' commands: look, trade, and see what came of it, all over the network with the member's key."""
