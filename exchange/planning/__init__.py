"""Planning from the live exchange: the catalogue's places, the venue, plan jobs over HTTP."""
